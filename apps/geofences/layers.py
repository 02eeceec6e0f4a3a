"""The layer `fences`: areas that are watched. A removed fence leaves the layer."""

from collections.abc import Sequence
from typing import Any

from apps.layers.definition import Cursor, FeatureRow, Layer, PageQuery, Tiling
from apps.layers.geojson import encode_feature, encoded
from apps.layers.window import touches

FACTS = """{facts}.name, {facts}.shape, {facts}.radius_m, ST_X({facts}.center), ST_Y({facts}.center), {facts}.category,
    agency.slug, {facts}.active_from, {facts}.active_to, ST_AsGeoJSON({facts}.geom, 7)"""
SHOWN = """
    SELECT fence.id, {rev}, {gone}, {facts}
    FROM geofences_fence fence JOIN accounts_agency agency ON agency.id = fence.agency_id {was}
"""
NOW = SHOWN.format(rev="fence.rev", gone="fence.removed_at IS NOT NULL", facts=FACTS.format(facts="fence"), was="")
CHANGED = NOW + """
    WHERE fence.agency_id = %s AND fence.rev > %s AND (%s OR fence.removed_at IS NULL) ORDER BY fence.rev, fence.id
"""
PAGE = NOW + """
    WHERE fence.agency_id = ANY(%(agencies)s) AND fence.removed_at IS NULL AND (fence.rev, fence.id) > (%(rev)s, %(id)s) AND {window}
    ORDER BY fence.rev, fence.id LIMIT %(limit)s
"""
WAS = """
    CROSS JOIN LATERAL (
        SELECT * FROM geofences_fencerevision one
        WHERE one.fence_id = fence.id AND one.recorded_at <= %(then)s ORDER BY one.recorded_at DESC, one.id DESC LIMIT 1
    ) was
"""
PAST = SHOWN.format(rev="0", gone="FALSE", facts=FACTS.format(facts="was"), was=WAS) + """
    WHERE fence.agency_id = ANY(%(agencies)s) AND NOT was.removed AND fence.id > %(id)s AND {window}
    ORDER BY fence.id LIMIT %(limit)s
"""
PLAIN = ("name", "shape", "radius_m", "center", "category", "agency", "active_from", "active_to")


def page(cursor: Cursor, query: PageQuery) -> list[FeatureRow]:
    """Return one page of fences. What people draw is observed when it is recorded, so both times bound the same moment."""
    times = [time for time in (query.at, query.known) if time is not None]
    window, box = touches("was.geom" if times else "fence.geom", query.bbox)
    rev, id = query.after
    values = {"agencies": list(query.agencies), "rev": rev, "id": id, "limit": query.limit, **box}
    if times:
        values["then"] = min(times)
    cursor.execute((PAST if times else PAGE).format(window=window), values)
    return [_feature(row) for row in cursor.fetchall()]


def changed(cursor: Cursor, agency_id: int, after_rev: int) -> list[FeatureRow]:
    """Return what a replica at `after_rev` lacks; removed fences come with None."""
    cursor.execute(CHANGED, [agency_id, after_rev, after_rev > 0])
    return [_feature(row) for row in cursor.fetchall()]


def _feature(row: Sequence[Any]) -> FeatureRow:
    id, rev, gone, name, shape, radius_m, lon, lat, *rest, geometry = row
    if gone:
        return FeatureRow(id, rev, None)
    center = None if lon is None else [lon, lat]
    properties = dict(zip(PLAIN, (name, shape, radius_m, center, *rest), strict=True))
    return FeatureRow(id, rev, encode_feature(id, encoded(geometry), properties))


TILING = Tiling(
    fields={
        "name": "name",
        "shape": "polygon or circle",
        "radius_m": "of a circle, in meters",
        "category": "category",
        "agency": "the agency's slug",
        "active_from": "active from (ISO 8601, UTC)",
        "active_to": "active until then, without it",
    },
    filters={"category": "text", "shape": "text"},
    geometry="area",
)
FENCES = Layer(name="fences", title="Fences", kind="features", page=page, tiling=TILING, changed=changed)
