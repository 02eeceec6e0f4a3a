"""The layer `calls`: open calls for service. A closed call leaves the layer."""

from apps.boundaries.tags import Tags
from apps.incidents.features import CallRow, call_feature, is_open
from apps.incidents.queries import changed_calls, open_calls
from apps.incidents.tiles import FIELDS, CallTiles
from apps.layers.definition import Cursor, FeatureRow, Layer, PageQuery, Tiling


def page(cursor: Cursor, query: PageQuery) -> list[FeatureRow]:
    return _features(cursor, open_calls(cursor, query))


def changed(cursor: Cursor, agency_id: int, after_rev: int) -> list[FeatureRow]:
    """Return what a replica at `after_rev` lacks; closed calls come with None."""
    return _features(cursor, changed_calls(cursor, agency_id, after_rev))


def _features(cursor: Cursor, calls: list[CallRow]) -> list[FeatureRow]:
    tags = Tags()
    tags.read(cursor, (call.boundaries for call in calls))
    return [FeatureRow(call.id, call.rev, call_feature(call, tags) if is_open(call) else None) for call in calls]


TILING = Tiling(
    fields=FIELDS,
    filters={"type": "text", "rank": "number", "state": "text", "origin": "text"},
    geometry="point",
    cells_to_zoom=12,
    windows=True,
    by_tile=True,
    source=CallTiles,
)
CALLS = Layer(name="calls", title="Calls", kind="features", page=page, tiling=TILING, changed=changed)
