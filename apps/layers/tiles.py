"""Draw one tile of a layer: feature by feature, or where that would be too much, by H3 cell with how many there are."""

from typing import NamedTuple

from apps.geo.cells import resolution_of
from apps.layers.definition import Cursor, Layer, TileQuery, TileSource
from apps.layers.paged_tiles import PagedTiles
from apps.layers.tile_encoding import encode_cells

MOST_FEATURES = 1_000
LARGEST_BYTES = 500_000
FORM = 1
"""Counts up when the same rows are drawn in another way, so that no cache keeps the old one."""


def source_of(layer: Layer, query: TileQuery) -> TileSource:
    if layer.tiling.source is not None and not query.past:
        return layer.tiling.source(query)
    return PagedTiles(layer.name, layer.page, layer.tiling, query)


class Drawn(NamedTuple):
    """A Mapbox Vector Tile, and how many features it tells of; None where nobody counted them."""

    body: bytes
    features: int | None


def draw(cursor: Cursor, layer: Layer, query: TileQuery) -> Drawn:
    """Return the tile, at most LARGEST_BYTES. None of the features is left out: a feature of the tile stands for itself, or for as many
    as its `count` says."""
    source, zoom = source_of(layer, query), query.address.z
    if zoom > layer.tiling.cells_to_zoom and not source.has_more_than(cursor, MOST_FEATURES):
        drawn = source.drawn(cursor)
        if len(drawn) <= LARGEST_BYTES:
            return Drawn(drawn, source.number())
    cells = source.cells(cursor, resolution_of(zoom))
    return Drawn(encode_cells(cursor, layer.name, query.address, cells), sum(cells.values()))
