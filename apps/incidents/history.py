"""Read the calls that a batch concerns; write their revisions, and at the end their newest state."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg.types.json import Jsonb

from apps.geo.cells import cell_of
from apps.geo.clock import moment
from apps.incidents.merging import CallFacts

FACTS = (
    "sequence, observed_at, received_at, recorded_at, state, type, priority, rank, opened_at, closed_at, address, cross_streets, "
    "units, narrative, geom, uncertainty_m, boundaries"
)
HOLES = "%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, ST_SetSRID(ST_Point(%s, %s), 4326), %s, %s"
READ = """
    sequence, (extract(epoch FROM observed_at) * 1000000)::bigint, (extract(epoch FROM received_at) * 1000000)::bigint,
    state, (extract(epoch FROM opened_at) * 1000000)::bigint, (extract(epoch FROM closed_at) * 1000000)::bigint,
    type, priority, rank, address, cross_streets, units, narrative, ST_X(geom), ST_Y(geom), uncertainty_m, boundaries
"""
NEWEST = f"SELECT number, id, agency_id, {READ} FROM incidents_call WHERE source_id = %s AND number = ANY(%s)"
OPEN = f"SELECT number, id, agency_id, {READ} FROM incidents_call WHERE source_id = %s AND shard = %s AND state <> 'closed'"
AT_SEQUENCE = f"SELECT {READ} FROM incidents_callrevision WHERE call_id = %s AND sequence <= %s ORDER BY sequence DESC LIMIT 1"
REVISE = f"INSERT INTO incidents_callrevision (call_id, {FACTS}) VALUES (%s, {HOLES})"
INSERT = f"""
    INSERT INTO incidents_call (id, agency_id, source_id, number, origin, shard, rev, cell, {FACTS})
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, {HOLES})
    ON CONFLICT (id) DO UPDATE SET rev = excluded.rev, cell = excluded.cell,
        {", ".join(f"{name} = excluded.{name}" for name in FACTS.split(", "))}
"""
Cursor = psycopg.Cursor[Any]


@dataclass
class CallRecord:
    """A call of a source, and its newest state. `facts` is None while its first report is being read."""

    id: int
    agency_id: int
    source_id: int
    number: str
    origin: str
    shard: int
    facts: CallFacts | None


def facts_of(row: tuple[Any, ...]) -> CallFacts:
    """Build the facts from a row of READ."""
    sequence, observed, received, state, opened, closed, kind, priority, rank, address, cross, units, *rest = row
    narrative, lon, lat, uncertainty_m, boundaries = rest
    return CallFacts(
        sequence, observed, received, state, opened, closed, kind, priority, rank, address, cross, tuple(units), narrative, lon, lat,
        uncertainty_m, tuple(boundaries or ()),
    )  # fmt: skip


class KnownCall(NamedTuple):
    """A call that exists. Its agency is the one that it came to: a source may have been given to another since."""

    id: int
    agency_id: int
    facts: CallFacts


def load_calls(cursor: Cursor, source_id: int, numbers: list[str]) -> dict[str, KnownCall]:
    """Return by number the calls that exist, in their newest state."""
    return _known(cursor.execute(NEWEST, [source_id, numbers]).fetchall())


def load_open(cursor: Cursor, source_id: int, shard: int) -> dict[str, KnownCall]:
    return _known(cursor.execute(OPEN, [source_id, shard]).fetchall())


def _known(rows: list[tuple[Any, ...]]) -> dict[str, KnownCall]:
    return {number: KnownCall(id, agency_id, facts_of(tuple(facts))) for number, id, agency_id, *facts in rows}


def revision_up_to(cursor: Cursor, call_id: int, sequence: int) -> CallFacts | None:
    """Return the newest revision whose sequence is not above the given one."""
    row = cursor.execute(AT_SEQUENCE, [call_id, sequence]).fetchone()
    return facts_of(row) if row else None


def new_ids(cursor: Cursor, count: int) -> list[int]:
    rows = cursor.execute("SELECT nextval('incidents_call_id_seq') FROM generate_series(1, %s)", [count]).fetchall()
    return [row[0] for row in rows]


def write_revisions(cursor: Cursor, revisions: list[tuple[int, CallFacts]], *, recorded_us: int) -> None:
    if revisions:
        cursor.executemany(REVISE, [(call_id, *_values(facts, recorded_us)) for call_id, facts in revisions])


def write_newest(cursor: Cursor, calls: list[tuple[CallRecord, CallFacts, int]], *, recorded_us: int) -> None:
    """Upsert the calls, each with its newest facts and revision."""
    rows = [
        (call.id, call.agency_id, call.source_id, call.number, call.origin, call.shard, rev, _cell(facts), *_values(facts, recorded_us))
        for call, facts, rev in calls
    ]
    if rows:
        cursor.executemany(INSERT, rows)


def _cell(facts: CallFacts) -> int | None:
    return None if facts.lon is None or facts.lat is None else cell_of(facts.lon, facts.lat)


def _values(facts: CallFacts, recorded_us: int) -> list[object]:
    return [
        facts.sequence,
        moment(facts.observed_us),
        moment(facts.received_us),
        moment(recorded_us),
        facts.state,
        facts.type,
        facts.priority,
        facts.rank,
        moment(facts.opened_us),
        None if facts.closed_us is None else moment(facts.closed_us),
        facts.address,
        facts.cross_streets,
        Jsonb(list(facts.units)),
        facts.narrative,
        facts.lon,
        facts.lat,
        facts.uncertainty_m,
        list(facts.boundaries),
    ]
