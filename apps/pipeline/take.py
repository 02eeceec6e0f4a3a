"""Take rows off the queue: deleted in the same transaction that applies their effects."""

import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from apps.geo.binary_array import INT2, INT8, integers

MOST_OBSERVATIONS = 5_000
MOST_BYTES = 4 * 1024 * 1024
MOST_ROWS_A_SHARD = 512
FIELDS = "shard, id, source_id, uuid_send(post_id), received_us, (extract(epoch FROM queued_at) * 1000000)::bigint, count, parcel"
CHOSEN = """
    SELECT chosen.place FROM unnest(%s::smallint[], %s::bigint[]) AS held (shard, floor)
    CROSS JOIN LATERAL (
        SELECT ctid AS place FROM ingest_inbound WHERE shard = held.shard AND id >= held.floor ORDER BY id LIMIT %s
    ) chosen
"""
# By the rows' own places: only the owner of a shard changes its rows, so they stay where the same statement found them.
BY_FLOOR = f"DELETE FROM ingest_inbound WHERE ctid = ANY (ARRAY({CHOSEN})) RETURNING {FIELDS}"
BY_ID = f"""
    DELETE FROM ingest_inbound WHERE (shard, id) IN (SELECT * FROM unnest(%s::smallint[], %s::bigint[])) RETURNING {FIELDS}
"""
RIPE_S = 0.1
AGO_S = 3.0
SPARING = 200
HEAD = f"SELECT {FIELDS} FROM ingest_inbound WHERE shard = %s ORDER BY id LIMIT 1"
Cursor = psycopg.Cursor[Any]


class QueueRow(NamedTuple):
    """`receipt`: the post's id, 16 bytes (making a UUID of each would cost more than all else of a row)."""

    shard: int
    id: int
    source_id: int
    receipt: bytes
    received_us: int
    queued_us: int
    observations: int
    parcel: bytes


@dataclass
class Floors:
    """How far down to look when looking below the floors. Times are seconds of a monotonic clock."""

    then: dict[int, int] = field(default_factory=dict)
    since: dict[int, int] = field(default_factory=dict)
    turned_at: float = 0.0
    all_due: float = 0.0

    def below(self, floors: dict[int, int], *, at: float) -> dict[int, int]:
        """Return the floors of AGO_S to twice that ago, or none at all when it is time for that."""
        if at - self.turned_at >= AGO_S:
            self.then, self.since, self.turned_at = self.since, dict(floors), at
        return {} if at >= self.all_due else self.then

    def looked(self, begun: float, ended: float) -> None:
        """A look without any floor took so long; the next comes when it costs 1 part in SPARING of the time."""
        self.all_due = ended + SPARING * (ended - begun)


@dataclass
class Taker:
    """Bounded takes for an owner's shards. A floor a shard spares each take the index entries of dead rows; now and then a
    take looks below the floors all the same: each second down to where they were some seconds ago, and down to the first row as
    often as that is cheap. While one old snapshot keeps the dead rows of minutes, it is not: it would take a second each second.

    Ids are given before they are committed: a row may appear below one that is taken already. Were it left lying under
    the floor, a newer row of its track could be taken first. So a floor ripens: it rises when every transaction that ran
    while its rows were taken has ended (and a moment has passed, since an id is given just before the transaction's number).
    """

    floors: dict[int, int] = field(default_factory=dict)
    rising: dict[int, int] = field(default_factory=dict)
    ripening: dict[int, int] = field(default_factory=dict)
    ripe_from: int = 0
    turned_at: float = 0.0
    before: Floors = field(default_factory=Floors)
    observations_a_row: float = 8.0
    bytes_a_row: float = 1_000.0

    def take(self, cursor: Cursor, shards: list[int], *, without_floors: bool) -> list[QueueRow]:
        """Delete and return rows, ascending by id. At least one row a shard that has any, however large. `without_floors`:
        look below them."""
        begun = time.monotonic()
        floors = self.before.below(self.floors, at=begun) if without_floors else self.floors
        sent = [integers(INT2, shards), integers(INT8, [floors.get(shard, 0) for shard in shards]), self._rows_a_shard(len(shards))]
        rows = [*map(QueueRow._make, cursor.execute(BY_FLOOR, sent, prepare=True).fetchall())]
        if not floors:
            self.before.looked(begun, time.monotonic())
        if rows:
            self._learn(rows)
        return sorted(rows, key=lambda row: row.id)

    def _rows_a_shard(self, shards: int) -> int:
        rows = min(MOST_OBSERVATIONS / self.observations_a_row, MOST_BYTES / self.bytes_a_row)
        return max(1, min(MOST_ROWS_A_SHARD, int(rows / shards)))

    def _learn(self, rows: list[QueueRow]) -> None:
        observations, size = sum(row.observations for row in rows), sum(len(row.parcel) for row in rows)
        self.observations_a_row += (observations / len(rows) - self.observations_a_row) * 0.2
        self.bytes_a_row += (size / len(rows) - self.bytes_a_row) * 0.2

    def settle(self, rows: list[QueueRow], *, running: tuple[int, int]) -> None:
        """Note, after COMMIT, how far the shards are taken. `running`: the oldest running and the next transaction number,
        read after the take."""
        oldest, next_one = running
        for row in rows:
            self.rising[row.shard] = max(self.rising.get(row.shard, 0), row.id + 1)
        if oldest >= self.ripe_from and time.monotonic() - self.turned_at >= RIPE_S:
            self.floors |= self.ripening
            self.ripening, self.rising = self.rising, {}
            self.ripe_from, self.turned_at = next_one, time.monotonic()

    def forget(self) -> None:
        """Begin without floors: the shards are others."""
        self.floors, self.rising, self.ripening, self.ripe_from, self.before = {}, {}, {}, 0, Floors()


def take_rows(cursor: Cursor, keys: list[tuple[int, int]]) -> list[QueueRow]:
    """Delete and return these rows (shard, id), ascending by id."""
    rows = cursor.execute(BY_ID, [[shard for shard, _ in keys], [id for _, id in keys]]).fetchall()
    return sorted((QueueRow(*row) for row in rows), key=lambda row: row.id)


def head(cursor: Cursor, shard: int) -> QueueRow | None:
    row = cursor.execute(HEAD, [shard]).fetchone()
    return QueueRow(*row) if row else None
