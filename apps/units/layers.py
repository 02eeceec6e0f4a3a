"""The layer `units`: where devices on duty are. The hub reads it packed; pages read it as GeoJSON."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.boundaries.tags import Tags
from apps.layers.definition import Cursor, FeatureRow, Layer, PageQuery, Tiling
from apps.layers.geojson import encode_feature, point
from apps.tracks.records import CLOCK_OFF, DEGREE, POSITION
from apps.units.queries import UnitRow, places, units

PLAIN = (
    "unit", "name", "kind", "agency", "status", "status_label", "speed_mps", "heading_deg", "accuracy_m", "altitude_m",
    "observed_at", "received_at", "recorded_at", "origin", "source", "interval_s", "is_newest",
)  # fmt: skip
# PostgreSQL's own binary form of each value, glued into one row: 20,000 positions come as one value, without parsing.
PACKED = """
    SELECT string_agg(int8send(track_id) || timestamptz_send(observed_at) || timestamptz_send(received_at)
        || float8send(ST_X(geom)) || float8send(ST_Y(geom)) || float4send(coalesce(speed_mps, 'NaN'))
        || float4send(coalesce(heading_deg, 'NaN')) || float4send(coalesce(accuracy_m, 'NaN'))
        || int2send(status) || int2send((clock_offset_ms <> 0)::int::smallint), '')
    FROM tracks_position WHERE agency_id = %s AND rev > %s
"""
SENT = np.dtype(
    [
        ("track", ">i8"), ("observed", ">i8"), ("received", ">i8"), ("lon", ">f8"), ("lat", ">f8"),
        ("speed_mps", ">f4"), ("heading_deg", ">f4"), ("accuracy_m", ">f4"), ("status", ">i2"), ("clock_off", ">i2"),
    ]
)  # fmt: skip
POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01, from which PostgreSQL counts
INTRODUCTION = ("id", "unit", "name", "kind", "origin", "source", "interval_s")
# What a reader must know of a device before its first record. It is told again when the track or its assignment changed.
INTRODUCED = """
    SELECT track.id, sign.call_sign, track.name, track.kind, track.origin, source.slug, source.interval_s
    FROM tracks_track track
    JOIN ingest_source source ON source.id = track.source_id + 0
    LEFT JOIN LATERAL (
        SELECT unit.call_sign FROM units_assignment held JOIN units_unit unit ON unit.id = held.unit_id
        WHERE held.track_id = track.id AND held.ends_at IS NULL ORDER BY held.starts_at DESC LIMIT 1
    ) sign ON TRUE
    WHERE {chosen} ORDER BY track.id
"""
# By its own key, never by its agency: what is missing of 20,000 devices is read a thousand at a time, and going through the
# agency's devices each time once cost 50 µs a device. "+ 0" hides the index by source, which looks cheap while the table is new.
AMONG = "track.id = ANY(%(tracks)s) AND track.agency_id + 0 = %(agency)s"
AFTER = "track.agency_id = %(agency)s AND track.rev > %(after_rev)s AND track.rev > 0"
ALL = "track.agency_id = %(agency)s"


def positions_after(cursor: Cursor, agency_id: int, after_rev: int) -> NDArray[np.void]:
    """Return the latest position of each track of the agency that was published after a revision, as tracks.records.POSITION."""
    cursor.execute(PACKED, [agency_id, after_rev])
    return packed(np.frombuffer(cursor.fetchall()[0][0] or b"", dtype=SENT))


def packed(sent: NDArray[np.void]) -> NDArray[np.void]:
    """Turn rows as PostgreSQL sends them into POSITION records."""
    records = np.zeros(len(sent), dtype=POSITION)
    for name in ("track", "speed_mps", "heading_deg", "accuracy_m", "status"):
        records[name] = sent[name]
    for axis in ("lon", "lat"):
        records[axis] = np.rint(sent[axis] * DEGREE)
    for moment in ("observed", "received"):
        records[f"{moment}_us"] = sent[moment] + POSTGRES_EPOCH_US
    records["flags"] = np.where(sent["clock_off"] != 0, CLOCK_OFF, 0)
    return records


def introductions(cursor: Cursor, agency_id: int, *, after_rev: int | None, tracks: list[int] | None) -> list[dict[str, Any]]:
    """Return what a reader must know of tracks of the agency: of these (by id), else of those that changed after a revision,
    else of all.

    Each is {"handle", "id", "unit", "name", "kind", "origin", "source", "interval_s"}; the handle is the track's id.
    """
    chosen = AMONG if tracks is not None else AFTER if after_rev is not None else ALL
    cursor.execute(INTRODUCED.format(chosen=chosen), {"agency": agency_id, "after_rev": after_rev, "tracks": tracks})
    return [introduced(row) for row in cursor.fetchall()]


def introduced(row: Sequence[Any]) -> dict[str, Any]:
    """Return an introduction with its fields' names. `row`: the values of INTRODUCTION."""
    return {"handle": row[0], **dict(zip(INTRODUCTION, row, strict=True))}


def page(cursor: Cursor, query: PageQuery) -> list[FeatureRow]:
    found = units(cursor, query)
    tags = Tags()
    tags.read(cursor, (unit.boundaries for unit in found))
    return [FeatureRow(unit.id, unit.rev, unit_feature(unit, tags)) for unit in found]


def unit_feature(row: UnitRow, tags: Tags) -> bytes:
    properties = {name: getattr(row, name) for name in PLAIN}
    properties["boundaries"] = tags.of(row.boundaries)
    return encode_feature(row.id, point(row.lon, row.lat), properties)


TILING = Tiling(
    fields={
        "unit": "call sign",
        "name": "the device's name",
        "kind": "kind of device",
        "agency": "the agency's slug",
        "status": "status, the agency's code",
        "status_label": "status, in the agency's words",
        "speed_mps": "speed in meters a second",
        "heading_deg": "degrees from true north",
        "observed_at": "when it was there (ISO 8601, UTC)",
        "origin": "live, exercise, simulated or replayed",
        "is_newest": "whether its unit is drawn by this device",
    },
    filters={"unit": "text", "kind": "text", "status": "text", "origin": "text"},
    geometry="point",
    cells_to_zoom=9,
    places=places,
)
UNITS = Layer(name="units", title="Units", kind="positions", page=page, tiling=TILING, sensitive="past")
