"""What the front door knows of the instance without asking for each post: sources, keys, the clock, how long the queue is."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
import shapely

from apps.accounts.instance import READ, InstanceState, state_of
from apps.geo.clock import microseconds
from apps.geo.shards import SHARDS
from apps.ingest.clock_error import ClockErrors
from apps.ingest.parcels import Shards
from apps.ingest.quota import Quota
from apps.ingest.screening import NOWHERE, Bounds
from apps.retention.rules import IN_FORCE, Rules, before, rules_of

SOURCES = """
SELECT s.id, s.slug, s.adapter, s.origin, s.settings, s.enabled, s.observations_per_s, ST_AsBinary(a.area::geometry), s.agency_id
FROM ingest_source s JOIN accounts_agency a ON a.id = s.agency_id
"""
KEYS = """
SELECT k.digest, sk.source_id FROM ingest_sourcekey sk JOIN accounts_apikey k ON k.id = sk.key_id WHERE k.revoked_at IS NULL
"""
ONE_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
EPOCH = "SELECT epoch FROM accounts_grantepoch WHERE id = 1"
OLDEST = """
SELECT s.shard, oldest.id, extract(epoch FROM clock_timestamp() - oldest.queued_at)::float8
FROM unnest(%s::smallint[], %s::bigint[]) AS s(shard, floor)
CROSS JOIN LATERAL (
    SELECT id, queued_at FROM ingest_inbound i WHERE i.shard = s.shard AND i.id >= s.floor ORDER BY i.shard, i.id LIMIT 1
) oldest
"""


@dataclass
class Sender:
    """A source as the front door sees it, with what it learned of it."""

    id: int
    slug: str
    adapter: str
    origin: str
    settings: dict[str, Any]
    enabled: bool
    bounds: Bounds
    quota: Quota
    shards: Shards
    agency_id: int
    errors: ClockErrors = field(default_factory=ClockErrors)


def bounds_of(area: bytes | None) -> Bounds:
    if area is None:
        return NOWHERE
    shape = shapely.from_wkb(area)
    if shape.is_empty:
        return NOWHERE
    shapely.prepare(shape)
    return Bounds(shape.bounds, lambda lon, lat: bool(shapely.contains_xy(shape, lon, lat)))


def sender_of(row: tuple[Any, ...], before: Sender | None, *, at: float) -> Sender:
    """Build the sender of one row; what was learned of its devices and its quota stays."""
    number, slug, adapter, origin, settings, enabled, per_s, area, agency_id = row
    sender = Sender(number, slug, adapter, origin, settings, enabled, bounds_of(area), Quota(per_s, at=at), Shards(number), agency_id)
    if before is not None:
        sender.shards, sender.errors = before.shards, before.errors
        sender.quota = before.quota if before.quota.per_s == per_s else sender.quota
    return sender


class Known:
    """Read again when the grants' epoch has changed; the instance, the rules of retention and the queue's age each second."""

    def __init__(self) -> None:
        self.epoch: int | None = None
        self.senders: dict[int, Sender] = {}
        self.keys: dict[bytes, int] = {}
        self.instance: InstanceState | None = None
        self.rules = Rules({})
        self.read_at = float("-inf")
        self.queue_age_s = 0.0
        self.floors = [0] * SHARDS

    async def refresh(self, connection: psycopg.AsyncConnection[Any], *, at: float) -> None:
        """Read what has changed, in one snapshot: a source that a replay switched on, met by the clock of the story before, would
        have its first observations quarantined. Raises psycopg.OperationalError when PostgreSQL is away."""
        async with connection.transaction():
            await connection.execute(ONE_SNAPSHOT)
            instance = await (await connection.execute(READ)).fetchone()
            found = await (await connection.execute(EPOCH)).fetchone()
            epoch = found[0] if found else None
            if epoch != self.epoch or epoch is None:
                await self.read_sources(connection, at=at)
            state = state_of(instance) if instance else None
            if state is not None:
                self.rules = rules_of(await (await connection.execute(IN_FORCE, [state.clock.now()])).fetchall())
        self.meet(state)
        self.epoch, self.read_at = epoch, at

    def meet(self, instance: InstanceState | None) -> None:
        """Take the instance in. When its history was replaced, devices' clocks are learned anew."""
        if instance and self.instance and instance.generation != self.instance.generation:
            for sender in self.senders.values():
                sender.errors = ClockErrors()
        self.instance = instance

    def oldest_us(self, sender: Sender, *, at: datetime) -> int:
        """Return the time (microseconds since 1970) before which a source's fixes are not taken: they would be removed at once."""
        return microseconds(before(at, self.rules.of("positions", sender.agency_id).keep))

    def clock_errors(self, sender: Sender) -> ClockErrors:
        """Return what is known of the devices' clocks; nothing is learned while the instance's own time runs faster than real."""
        runs_true = self.instance is None or self.instance.clock.speed == 1
        return sender.errors if runs_true else ClockErrors()

    async def read_sources(self, connection: psycopg.AsyncConnection[Any], *, at: float) -> None:
        rows = await (await connection.execute(SOURCES)).fetchall()
        self.senders = {row[0]: sender_of(row, self.senders.get(row[0]), at=at) for row in rows}
        keys = await (await connection.execute(KEYS)).fetchall()
        self.keys = {bytes(digest): source_id for digest, source_id in keys}

    async def probe_queue(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Find the age of the queue's oldest row, from where it was last seen (dead rows before it cost nothing). A row that commits
        below is missed: it says no more about a pipeline that stands still than the rows above it."""
        rows = await (await connection.execute(OLDEST, (list(range(SHARDS)), self.floors))).fetchall()
        for shard, first, _ in rows:
            self.floors[shard] = first
        self.queue_age_s = max((age for _, _, age in rows), default=0.0)

    def forget_queue(self) -> None:
        """Look at the queue from its beginning: the database may be another one."""
        self.floors = [0] * SHARDS
