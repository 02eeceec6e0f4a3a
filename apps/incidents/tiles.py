"""Tiles of calls: the open ones, those that a window of time opened, or what stood at a past time.

A tile is a range of places (geo.tile_address), so each call is in one tile of a zoom and counts over all tiles add up. Whole months of a
window are read from the counts that a trigger keeps, the rest from the calls themselves.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from apps.geo.cells import group_sql, grouped
from apps.geo.tile_address import EXTENT
from apps.layers.definition import Cursor, TileQuery

LEVELS = (7, 8, 9, 11, 12)
"""Zooms whose tiles are counted by month (see the migration 0007_tiles); a coarser tile adds those of the next finer one."""
IN_TILE = "call.agency_id = ANY(%(agencies)s) AND call.place >= %(first)s AND call.place < %(behind)s"
OPEN = "call.state <> 'closed'"
OPENED = "call.opened_at >= %(since)s AND call.opened_at < %(until)s"
FILTERS = {name: f"call.{name} = %({name})s" for name in ("type", "rank", "state", "origin")}
MORE = "SELECT count(*) > %(most)s FROM (SELECT FROM incidents_call call WHERE {where} LIMIT %(most)s + 1) found"
CELLS = "SELECT {cell}, count(*) FROM incidents_call call WHERE {where} GROUP BY 1"
MONTHS = """
    SELECT {cell}, sum(count) FROM (
        SELECT cell, count FROM incidents_callcount WHERE agency_id = ANY(%(agencies)s) AND zoom = %(level)s
            AND tile >= %(first_tile)s AND tile < %(behind_tile)s AND month >= %(first_month)s AND month < %(behind_month)s
        UNION ALL SELECT call.cell, 1 FROM incidents_call call
            WHERE {tile} AND call.opened_at >= %(since)s AND call.opened_at < %(first_month)s::timestamptz
        UNION ALL SELECT call.cell, 1 FROM incidents_call call
            WHERE {tile} AND call.opened_at >= %(behind_month)s::timestamptz AND call.opened_at < %(until)s
    ) part GROUP BY 1
"""
# A tile is asked for beside many others: it takes one core, and waits for no helper to start.
ALONE = "SET LOCAL max_parallel_workers_per_gather = 0"
# A longitude of 180 degrees lies in the westernmost tile, as its place does.
DRAWN = """
    SELECT ST_AsMVT(one, 'calls', %(extent)s, 'geom', 'id') FROM (
        SELECT call.id, call.number, call.type, call.priority, call.rank, call.state, agency.slug AS agency, call.origin, call.address,
            to_char(call.opened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS opened_at,
            ST_MakePoint(
                least(%(extent)s - 1, greatest(0, floor(((CASE WHEN ST_X(geom) < 180 THEN ST_X(geom) + 180 ELSE 0 END) / 360
                    * (1 << %(z)s) - %(x)s) * %(extent)s))),
                least(%(extent)s - 1, greatest(0, floor(((0.5 - asinh(tan(radians(least(85.0511287798066, greatest(-85.0511287798066,
                    ST_Y(geom)))))) / (2 * pi())) * (1 << %(z)s) - %(y)s) * %(extent)s)))
            ) AS geom
        FROM incidents_call call JOIN accounts_agency agency ON agency.id = call.agency_id WHERE {where}
    ) one
"""
FIELDS = {
    "number": "the call's own number",
    "type": "type, in the agency's words",
    "priority": "priority, in the agency's words",
    "rank": "0 is the most urgent",
    "state": "waiting, active or closed",
    "agency": "the agency's slug",
    "origin": "live, exercise, simulated or replayed",
    "address": "address",
    "opened_at": "when it was opened (ISO 8601, UTC)",
}


class CallTiles:
    """Calls as they are now: those that are open, or those that were opened in the query's window, whatever their state."""

    def __init__(self, query: TileQuery) -> None:
        self.query = query
        first, behind = query.address.places
        tile = {"agencies": list(query.agencies), "first": first, "behind": behind}
        self.values: dict[str, object] = {**tile, "since": query.since, "until": query.until, **query.filters}
        self.where = " AND ".join([IN_TILE, OPENED if query.since else OPEN, *(FILTERS[name] for name in query.filters)])

    def has_more_than(self, cursor: Cursor, most: int) -> bool:
        cursor.execute(MORE.format(where=self.where), {**self.values, "most": most})
        return bool(cursor.fetchall()[0][0])

    def cells(self, cursor: Cursor, resolution: int) -> dict[int, int]:
        query = self.query
        months = whole_months(query.since, query.until) if query.since and query.until else None
        if months and not query.filters and query.address.z <= LEVELS[-1]:
            cell = group_sql("part.cell", resolution)
            cursor.execute(ALONE)
            cursor.execute(MONTHS.format(cell=cell, tile=IN_TILE), {**self.values, **self._counted(months)})
        else:
            cursor.execute(CELLS.format(cell=group_sql("call.cell", resolution), where=self.where), self.values)
        return grouped(cursor.fetchall(), resolution)

    def _counted(self, months: Sequence[datetime]) -> dict[str, object]:
        address = self.query.address
        level = next(zoom for zoom in LEVELS if zoom >= address.z)
        first, behind = address.keys(level)
        return {"level": level, "first_tile": first, "behind_tile": behind, "first_month": months[0], "behind_month": months[1]}

    def drawn(self, cursor: Cursor) -> bytes:
        address = self.query.address
        values = {**self.values, "extent": EXTENT, "z": address.z, "x": address.x, "y": address.y}
        cursor.execute(DRAWN.format(where=self.where), values)
        return bytes(cursor.fetchall()[0][0] or b"")

    def number(self) -> int | None:
        return None


def whole_months(since: datetime, until: datetime) -> tuple[datetime, datetime] | None:
    """Return where the whole months (UTC) of a window begin and end; None when it has none."""
    begin, end = month_of(since), month_of(until)
    if begin < since.astimezone(UTC):
        if (begin.year, begin.month) == (9999, 12):
            return None
        begin = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return (begin, end) if begin < end else None


def month_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


