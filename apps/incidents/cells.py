"""Give the calls their cell that were written without one: before there were cells, or by code of that time."""

from typing import Any, Protocol

import psycopg

from apps.geo.cells import cell_of

BATCH = 5_000
A_TIME = 500
WITHOUT = """
    SELECT id, ST_X(geom), ST_Y(geom) FROM incidents_call WHERE cell IS NULL AND geom IS NOT NULL AND id > %s ORDER BY id LIMIT %s
"""
# Whoever moved a call meanwhile has given it its own.
GIVE = """
    UPDATE incidents_call call SET cell = given.cell FROM unnest(%s::bigint[], %s::bigint[], %s::float8[], %s::float8[])
        AS given (id, cell, lon, lat)
    WHERE call.id = given.id AND call.cell IS NULL AND ST_X(call.geom) = given.lon AND ST_Y(call.geom) = given.lat
"""

ANY = "SELECT FROM incidents_call WHERE cell IS NULL AND geom IS NOT NULL LIMIT 1"
# As whoever writes calls: the revisions first, then what a trigger keeps of the calls.
LOCK = "SELECT FROM layers_layerrevision WHERE layer = 'calls' ORDER BY agency_id FOR UPDATE"


class Cursor(Protocol):
    def execute(self, query: Any, params: Any = None) -> Any: ...
    def fetchall(self) -> list[Any]: ...


def fill(cursor: Cursor, *, after: int = 0, batch: int = BATCH) -> int | None:
    """Give one batch of calls its cells, in ascending order of ids. Return the last id, to go on after it; None: there are no more."""
    cursor.execute(WITHOUT, [after, batch])
    rows = cursor.fetchall()
    if not rows:
        return None
    ids, lons, lats = (list(column) for column in zip(*rows, strict=True))
    cursor.execute(GIVE, [ids, [cell_of(lon, lat) for lon, lat in zip(lons, lats, strict=True)], lons, lats])
    return int(ids[-1])


def catch_up(connection: psycopg.Connection[Any]) -> None:
    """Give cells to some of the calls that have none, if there are any. Called once a second, it keeps up with code that knows no cells
    while that still runs beside this."""
    if connection.execute(ANY).fetchone() is None:
        return
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(LOCK)
        fill(cursor, batch=A_TIME)
