"""The layer `boundaries`: districts and beats. Live is the version without an end; a replaced version leaves the layer."""

from collections.abc import Sequence
from typing import Any

from apps.layers.definition import Cursor, FeatureRow, Layer, PageQuery, Tiling
from apps.layers.geojson import encode_feature, encoded
from apps.layers.window import touches

SHOWN = """
    SELECT area.id, {rev}, area.valid_to IS NOT NULL, area.kind, area.code, area.name, agency.slug, area.valid_from, area.valid_to,
        ST_AsGeoJSON(area.geom, 6)
    FROM boundaries_boundary area JOIN accounts_agency agency ON agency.id = area.agency_id
"""
NOW = SHOWN.format(rev="area.rev")
CHANGED = NOW + " WHERE area.agency_id = %s AND area.rev > %s AND (%s OR area.valid_to IS NULL) ORDER BY area.rev, area.id"
PAGE = NOW + """
    WHERE area.agency_id = ANY(%(agencies)s) AND area.valid_to IS NULL AND (area.rev, area.id) > (%(rev)s, %(id)s) AND {window}
    ORDER BY area.rev, area.id LIMIT %(limit)s
"""
PAST = SHOWN.format(rev="0") + """
    WHERE area.agency_id = ANY(%(agencies)s) AND area.valid_from <= %(then)s AND (area.valid_to IS NULL OR area.valid_to > %(then)s)
        AND area.id > %(id)s AND {window}
    ORDER BY area.id LIMIT %(limit)s
"""
PLAIN = ("kind", "code", "name", "agency", "valid_from", "valid_to")


def page(cursor: Cursor, query: PageQuery) -> list[FeatureRow]:
    """Return one page of boundaries, as valid at the earlier of `at` and `known`. A boundary is a given, not an observation:
    it has no time of recording of its own, so `known` bounds its validity."""
    times = [time for time in (query.at, query.known) if time is not None]
    window, box = touches("area.geom", query.bbox)
    rev, id = query.after
    values = {"agencies": list(query.agencies), "rev": rev, "id": id, "limit": query.limit, **box}
    if times:
        values["then"] = min(times)
    cursor.execute((PAST if times else PAGE).format(window=window), values)
    return [_feature(row, past=bool(times)) for row in cursor.fetchall()]


def changed(cursor: Cursor, agency_id: int, after_rev: int) -> list[FeatureRow]:
    """Return what a replica at `after_rev` lacks; replaced versions come with None."""
    cursor.execute(CHANGED, [agency_id, after_rev, after_rev > 0])
    return [_feature(row, past=False) for row in cursor.fetchall()]


def _feature(row: Sequence[Any], *, past: bool) -> FeatureRow:
    id, rev, ended, *facts, geometry = row
    if ended and not past:
        return FeatureRow(id, rev, None)
    properties = dict(zip(PLAIN, facts, strict=True))
    return FeatureRow(id, rev, encode_feature(id, encoded(geometry), properties))


TILING = Tiling(
    fields={
        "kind": "district, beat, …",
        "code": "code",
        "name": "name",
        "agency": "the agency's slug",
        "valid_from": "valid from (ISO 8601, UTC)",
        "valid_to": "valid until then, without it",
    },
    filters={"kind": "text", "code": "text"},
    geometry="area",
)
BOUNDARIES = Layer(name="boundaries", title="Boundaries", kind="features", page=page, tiling=TILING, changed=changed)
