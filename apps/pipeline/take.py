"""Take rows off the queue: deleted in the same transaction that applies their effects."""

from collections import Counter
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
HEAD = f"SELECT {FIELDS} FROM ingest_inbound WHERE shard = %s ORDER BY id LIMIT 1"
Cursor = psycopg.Cursor[Any]


class Running(NamedTuple):
    """Transaction numbers: the oldest that runs, and the batch's own."""

    oldest: int
    own: int


NONE_RUNS = Running(0, 0)


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
class Taker:
    """Bounded takes for an owner's shards. A floor a shard spares each take the index entries of dead rows, which an old
    snapshot keeps by the million.

    Ids are given before they are committed, so a row may appear below one that is taken already. A floor rises past a row when
    none can appear below it any more. Whoever writes rows has a transaction number before the first id (a trigger of the queue
    sees to it), and a batch gets its own with the first row that it deletes: rows that may still appear below have lower numbers
    than the batch. Once every lower number has ended, the next take sees what they left.
    """

    floors: dict[int, int] = field(default_factory=dict)
    rising: dict[int, int] = field(default_factory=dict)
    ripening: dict[int, int] = field(default_factory=dict)
    ripe_from: int = 0
    oldest: int = 0
    looked_at: set[int] = field(default_factory=set)
    rows_a_shard: int = 1
    observations_a_row: float = 8.0
    bytes_a_row: float = 1_000.0

    def take(self, cursor: Cursor, shards: list[int]) -> list[QueueRow]:
        """Delete and return rows, ascending by id. At least one row a shard that has any, however large."""
        self.looked_at, self.rows_a_shard = set(shards), self._rows_a_shard(len(shards))
        sent = [integers(INT2, shards), integers(INT8, [self.floors.get(shard, 0) for shard in shards]), self.rows_a_shard]
        rows = [*map(QueueRow._make, cursor.execute(BY_FLOOR, sent, prepare=True).fetchall())]
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

    def settle(self, rows: list[QueueRow], *, running: Running) -> None:
        """Note, after COMMIT, how far the shards are taken. `running`: as read after the take of these rows."""
        taken = Counter(row.shard for row in rows)
        after = {row.shard: row.id + 1 for row in rows}
        self.rising |= {shard: max(floor, self.rising.get(shard, 0)) for shard, floor in after.items()}
        if self.oldest >= self.ripe_from:  # known before this take, which therefore saw all that may lie below
            for shard in self.looked_at & self.ripening.keys():
                left_some = taken[shard] >= self.rows_a_shard
                self.floors[shard] = min(self.ripening[shard], after[shard]) if left_some else self.ripening[shard]
            self.ripening, self.rising, self.ripe_from = self.rising, {}, running.own
        self.oldest = running.oldest

    def forget(self) -> None:
        """Begin without floors: the shards are others, or rows left in another way."""
        self.floors, self.rising, self.ripening, self.ripe_from, self.oldest = {}, {}, {}, 0, 0


def take_rows(cursor: Cursor, keys: list[tuple[int, int]]) -> list[QueueRow]:
    """Delete and return these rows (shard, id), ascending by id."""
    rows = cursor.execute(BY_ID, [[shard for shard, _ in keys], [id for _, id in keys]]).fetchall()
    return sorted((QueueRow(*row) for row in rows), key=lambda row: row.id)


def head(cursor: Cursor, shard: int) -> QueueRow | None:
    row = cursor.execute(HEAD, [shard]).fetchone()
    return QueueRow(*row) if row else None
