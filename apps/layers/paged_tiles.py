"""Tiles of a layer made of its pages: what is in a tile is what the features of its box are, by the same statements."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import shapely

from apps.geo.cells import cell_of, parent
from apps.layers.definition import Cursor, FeatureRow, PageQuery, TileQuery, Tiling
from apps.layers.tile_encoding import Drawable, encode_features
from apps.layers.window import BBox

PAGE = 5_000
Page = Callable[[Cursor, PageQuery], list[FeatureRow]]


class PagedTiles:
    """`page` and `tiling` are the layer's. Features, or their places alone, are read once, at the first question."""

    def __init__(self, layer: str, page: Page, tiling: Tiling, query: TileQuery) -> None:
        self.layer, self.page, self.tiling, self.query = layer, page, tiling, query
        self.read: list[tuple[Drawable, tuple[float, float]]] | None = None
        self.points: list[tuple[float, float]] | None = None

    def has_more_than(self, cursor: Cursor, most: int) -> bool:
        return len(self._places(cursor) if self._tells_places else self._features(cursor)) > most

    def cells(self, cursor: Cursor, resolution: int) -> dict[int, int]:
        if self._tells_places:
            points = self._places(cursor)
        else:
            points = [point for drawable, point in self._features(cursor) if drawable.spot is not None]
        counts: dict[int, int] = {}
        for point in points:
            cell = parent(cell_of(*point), resolution)
            counts[cell] = counts.get(cell, 0) + 1
        return counts

    @property
    def _tells_places(self) -> bool:
        return self.tiling.places is not None and not self.query.filters

    def _places(self, cursor: Cursor) -> list[tuple[float, float]]:
        """Return the points in the tile, of a layer that tells them without the rest."""
        if self.points is None:
            assert self.tiling.places is not None
            found = self.tiling.places(cursor, self._page((0, 0)))
            self.points = [point for point in found if self.query.address.holds(*point)]
        return self.points

    def drawn(self, cursor: Cursor) -> bytes:
        return encode_features(cursor, self.layer, self.query.address, [drawable for drawable, _ in self._features(cursor)])

    def number(self) -> int | None:
        return None if self.read is None else len(self.read)

    def _features(self, cursor: Cursor) -> list[tuple[Drawable, tuple[float, float]]]:
        if self.read is None:
            self.read = list(self._drawables(cursor))
        return self.read

    def _drawables(self, cursor: Cursor) -> Iterator[tuple[Drawable, tuple[float, float]]]:
        """Yield what is drawn in the tile, each with its point (of an area: one inside of it) in degrees."""
        address, is_area = self.query.address, self.tiling.geometry == "area"
        for feature in self._rows(cursor):
            geometry, properties = feature["geometry"], feature["properties"]
            if geometry is None or any(properties.get(name) != value for name, value in self.query.filters.items()):
                continue
            point = _point_in(geometry) if is_area else tuple(geometry["coordinates"][:2])
            spot = address.spot(*point) if address.holds(*point) else None
            if is_area or spot:
                kept = {name: value for name, value in properties.items() if name in self.tiling.fields and value is not None}
                yield Drawable(feature["id"], spot, geometry if is_area else None, kept), point

    def _rows(self, cursor: Cursor) -> Iterator[Any]:
        after = (0, 0)
        while True:
            rows = self.page(cursor, self._page(after))
            yield from (orjson.loads(row.geojson) for row in rows if row.geojson is not None)
            if len(rows) < PAGE:
                return
            after = (0 if self.query.past else rows[-1].rev, rows[-1].id)

    def _page(self, after: tuple[int, int]) -> PageQuery:
        query = self.query
        return PageQuery(query.agencies, _box(query), query.at, query.known, after, PAGE)


def _box(query: TileQuery) -> BBox:
    """Return a box that holds the tile; the westernmost column also has what lies at 180 degrees, or so near that it is the same."""
    west, south, east, north = query.address.bbox(margin=1 / 64)
    return (179.999999 if query.address.x == 0 and query.address.z > 0 else west), south, east, north


def _point_in(geometry: Any) -> tuple[float, float]:
    point = shapely.point_on_surface(shapely.from_geojson(orjson.dumps(geometry)))
    return point.x, point.y
