"""Write fixes into history: what is newer than the latest by direct COPY, what is not by ON CONFLICT DO NOTHING.

Rows that are only read come as arrays. A temporary table for them cost each batch a millisecond: at COMMIT PostgreSQL truncates
its files and builds its TOAST index anew.
"""

from typing import Any, Literal

import numpy as np
import psycopg
from numpy.typing import NDArray

from apps.geo.binary_array import BYTEA, FLOAT4, INT2, INT4, INT8, TIMESTAMPTZ, Packed, column
from apps.geo.binary_copy import Column, bigint, binary_copy, integer, point, real, smallint, timestamptz
from apps.tracks.arrays import FixArrays

FIELDS = (
    "track_id, observed_at, received_at, recorded_at, geom, altitude_m, speed_mps, heading_deg, accuracy_m, status, clock_offset_ms"
)
TYPES = {
    "track_id": (INT8, "bigint"),
    "observed_at": (TIMESTAMPTZ, "timestamptz"),
    "received_at": (TIMESTAMPTZ, "timestamptz"),
    "recorded_at": (TIMESTAMPTZ, "timestamptz"),
    "geom": (BYTEA, "bytea"),
    "altitude_m": (FLOAT4, "real"),
    "speed_mps": (FLOAT4, "real"),
    "heading_deg": (FLOAT4, "real"),
    "accuracy_m": (FLOAT4, "real"),
    "status": (INT2, "smallint"),
    "clock_offset_ms": (INT4, "integer"),
}
SENT = ", ".join(f"%s::{name}[]" for _, name in TYPES.values())
"""Placeholders of the columns as arrays, in the order of FIELDS. A place comes as EWKB."""
READ = FIELDS.replace("geom", "geom::geometry")
LATE = f"unnest({SENT}) WITH ORDINALITY AS late ({FIELDS}, place)"
INSERT = f"""
    INSERT INTO tracks_fix ({FIELDS})
    SELECT DISTINCT ON (track_id, observed_at) {READ} FROM {LATE} ORDER BY track_id, observed_at, place
    ON CONFLICT DO NOTHING
    RETURNING track_id, (extract(epoch FROM observed_at) * 1000000)::bigint
"""
COMPARE = f"""
    SELECT late.place - 1,
           ROW(late.geom, late.altitude_m, late.speed_mps, late.heading_deg, late.accuracy_m, late.status)
           IS NOT DISTINCT FROM
           ROW(old.geom::bytea, old.altitude_m, old.speed_mps, old.heading_deg, old.accuracy_m, old.status)
    FROM {LATE} JOIN tracks_fix old ON old.track_id = late.track_id AND old.observed_at = late.observed_at
"""
Cursor = psycopg.Cursor[Any]
FixOutcome = Literal["late", "repeated", "conflicting"]


def prepare(cursor: Cursor) -> None:
    """Keep every plan of the connection on the primary keys.

    Plans are made once and kept; one made while a day or the queue was small would scan it when it is large.
    """
    for way in ("hashjoin", "mergejoin", "seqscan", "bitmapscan"):
        cursor.execute(f"SET enable_{way} = off")


def record(cursor: Cursor, fixes: FixArrays, *, newer: NDArray[np.bool_], recorded_us: int) -> dict[int, FixOutcome]:
    """Store the fixes; `newer` marks those newer than all known of their track. Return what the others became, by place:
    late (stored, not the latest), repeated (known already, no effect), conflicting (same time, other content, not stored)."""
    fresh, rest = np.flatnonzero(newer), np.flatnonzero(~newer)
    if len(fresh):
        copy(cursor, f"COPY tracks_fix ({FIELDS}) FROM STDIN (FORMAT binary)", columns(fixes.take(fresh), recorded_us))
    if not len(rest):
        return {}
    return _settle(cursor, fixes, rest, recorded_us)


def columns(fixes: FixArrays, recorded_us: int) -> list[Column]:
    """Return the columns in the order of FIELDS."""
    return [
        bigint(fixes.track_id),
        timestamptz(fixes.observed_us),
        timestamptz(fixes.received_us),
        timestamptz(np.full(len(fixes), recorded_us)),
        point(fixes.lon, fixes.lat),
        real(fixes.altitude_m),
        real(fixes.speed_mps),
        real(fixes.heading_deg),
        real(fixes.accuracy_m),
        smallint(fixes.status),
        integer(fixes.clock_offset_ms),
    ]


def arrays(fixes: FixArrays, recorded_us: int) -> list[Packed]:
    """Return the columns as arrays in PostgreSQL's binary form, for SENT."""
    given = zip(TYPES.values(), columns(fixes, recorded_us), strict=True)
    return [column(element, values) for (element, _), values in given]


def copy(cursor: Cursor, statement: str, values: list[Column]) -> None:
    with cursor.copy(statement) as stream:
        stream.write(binary_copy(values))


def _settle(cursor: Cursor, fixes: FixArrays, rest: NDArray[np.intp], recorded_us: int) -> dict[int, FixOutcome]:
    late = arrays(fixes.take(rest), recorded_us)
    inserted = set(cursor.execute(INSERT, late).fetchall())
    same = dict(cursor.execute(COMPARE, late).fetchall())
    outcomes: dict[int, FixOutcome] = {}
    for number, place in enumerate(rest.tolist()):
        key = (int(fixes.track_id[place]), int(fixes.observed_us[place]))
        if key in inserted:
            inserted.discard(key)
            outcomes[place] = "late"
        else:
            outcomes[place] = "repeated" if same[number] else "conflicting"
    return outcomes
