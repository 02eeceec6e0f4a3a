"""Reads of units: where each device is or was, and under which call sign."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from apps.layers.definition import Cursor, PageQuery
from apps.layers.window import touches


class UnitRow(NamedTuple):
    """A device with its call sign, at its newest fix. WGS 84 degrees, meters, meters a second, degrees from true north.

    `status` is the agency's own code (None: the source says none). Times are aware, in UTC. `is_newest` says whether this is
    the device that its unit is drawn by: of the unit's devices the one observed last, of equals the one of the lowest id.
    """

    id: int
    rev: int
    unit: str | None
    name: str
    kind: str
    agency: str
    status: str | None
    status_label: str | None
    speed_mps: float | None
    heading_deg: float | None
    accuracy_m: float | None
    altitude_m: float | None
    observed_at: datetime
    received_at: datetime
    recorded_at: datetime
    origin: str
    source: str
    interval_s: float
    lon: float
    lat: float
    boundaries: Sequence[int] | None
    is_newest: bool


# The call sign that a device had at a time; a device's newest assignment counts.
SIGN = """
    LEFT JOIN LATERAL (
        SELECT unit.call_sign, unit.id AS unit_id FROM units_assignment held JOIN units_unit unit ON unit.id = held.unit_id
        WHERE held.track_id = track.id AND {time} ORDER BY held.starts_at DESC, held.id DESC LIMIT 1
    ) sign ON TRUE
"""
HELD_NOW = "held.ends_at IS NULL"
HELD_THEN = """held.starts_at <= least(%(at)s, %(known)s) AND (held.ends_at IS NULL OR held.ends_at > least(%(at)s, %(known)s))
        AND held.recorded_at <= %(known)s"""
# Looks at all devices of the unit, wherever they are: also at those outside the box or on another page of the answer.
NEWEST = """
    NOT EXISTS (
        SELECT FROM units_assignment held {fix}
        WHERE held.unit_id = sign.unit_id AND held.track_id <> track.id AND {time}
            AND (rival.observed_at > fix.observed_at OR (rival.observed_at = fix.observed_at AND held.track_id < track.id))
    )
"""
# The source's slug and interval are read from ingest's table by SQL: ingest lies above this app and may not be imported.
SHOWN = """
    SELECT track.id, {rev}, sign.call_sign, track.name, track.kind, agency.slug, status.code, status.label,
        fix.speed_mps, fix.heading_deg, fix.accuracy_m, fix.altitude_m, fix.observed_at, fix.received_at, fix.recorded_at,
        track.origin, source.slug, source.interval_s, ST_X(fix.geom), ST_Y(fix.geom), {boundaries}, {newest}
    FROM tracks_track track {fix} {sign}
    JOIN accounts_agency agency ON agency.id = track.agency_id
    JOIN ingest_source source ON source.id = track.source_id
    LEFT JOIN accounts_statuscode status ON status.agency_id = track.agency_id AND status.number = fix.status
    WHERE track.agency_id = ANY(%(agencies)s) AND {window} AND {after}
"""
PAGE = SHOWN.format(
    rev="fix.rev",
    boundaries="fix.boundaries",
    fix="JOIN tracks_position fix ON fix.track_id = track.id",
    newest=NEWEST.format(time=HELD_NOW, fix="JOIN tracks_position rival ON rival.track_id = held.track_id"),
    sign=SIGN.format(time=HELD_NOW),
    window="{window}",
    after="(fix.rev, track.id) > (%(rev)s, %(id)s) ORDER BY fix.rev, track.id LIMIT %(limit)s",
)
# One look into the primary key (track, observed_at) a track: the newest fix that was observed and recorded in time.
PAST_FIX = """
    CROSS JOIN LATERAL (
        SELECT * FROM tracks_fix one
        WHERE one.track_id = {track} AND one.observed_at <= %(at)s AND one.recorded_at <= %(known)s
        ORDER BY one.observed_at DESC LIMIT 1
    ) {name}
"""
PAST_RIVAL = PAST_FIX.format(track="held.track_id", name="rival")
PAST_BOUNDARIES = """
    (SELECT array_agg(area.id ORDER BY area.id) FROM boundaries_boundary area
     WHERE area.agency_id = track.agency_id AND area.valid_from <= fix.observed_at
        AND (area.valid_to IS NULL OR area.valid_to > fix.observed_at)
        AND area.geom && fix.geom AND ST_Covers(area.geom, fix.geom))
"""
PAST = SHOWN.format(
    rev="0",
    boundaries=PAST_BOUNDARIES,
    fix=PAST_FIX.format(track="track.id", name="fix"),
    newest=NEWEST.format(time=HELD_THEN, fix=PAST_RIVAL),
    sign=SIGN.format(time=HELD_THEN),
    window="{window}",
    after="track.id > %(id)s ORDER BY track.id LIMIT %(limit)s",
)

PLACES = "SELECT ST_X(fix.geom), ST_Y(fix.geom) FROM tracks_position fix WHERE fix.agency_id = ANY(%(agencies)s) AND {window}"
PAST_PLACES = f"""
    SELECT ST_X(fix.geom), ST_Y(fix.geom) FROM tracks_track track {PAST_FIX.format(track="track.id", name="fix")}
    WHERE track.agency_id = ANY(%(agencies)s) AND {{window}}
"""


def rows(fetched: Iterable[Sequence[object]]) -> list[UnitRow]:
    return [UnitRow(*row) for row in fetched]  # type: ignore[arg-type]


def units(cursor: Cursor, query: PageQuery) -> list[UnitRow]:
    """Return one page of devices where they are, or were by `query.at` as known by `query.known`.

    Past states have revision 0 and are paged by id, because a past state has no revision of its own.
    """
    past = query.at is not None or query.known is not None
    window, box = touches("fix.geom", query.bbox)
    times = {"at": query.at or "infinity", "known": query.known or "infinity"} if past else {}
    rev, id = query.after
    values = {"agencies": list(query.agencies), "rev": rev, "id": id, "limit": query.limit, **times, **box}
    cursor.execute((PAST if past else PAGE).format(window=window), values)
    return rows(cursor.fetchall())


def places(cursor: Cursor, query: PageQuery) -> list[tuple[float, float]]:
    """Return longitude and latitude of all devices that `units` tells of, page or not."""
    past = query.at is not None or query.known is not None
    window, box = touches("fix.geom", query.bbox)
    times = {"at": query.at or "infinity", "known": query.known or "infinity"} if past else {}
    cursor.execute((PAST_PLACES if past else PLACES).format(window=window), {"agencies": list(query.agencies), **times, **box})
    return [(lon, lat) for lon, lat in cursor.fetchall()]
