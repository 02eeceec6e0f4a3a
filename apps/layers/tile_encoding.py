"""Write Mapbox Vector Tiles by PostGIS: cells with their counts, and features that were read as GeoJSON."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from apps.geo import cells
from apps.geo.tile_address import EXTENT, TileAddress
from apps.layers.definition import Cursor

COUNTED = """
    SELECT ST_AsMVT(one, %(layer)s, %(extent)s, 'geom') FROM (
        SELECT ST_MakePoint(x, y) AS geom, cell, count
        FROM unnest(%(x)s::int[], %(y)s::int[], %(cell)s::text[], %(count)s::bigint[]) AS told (x, y, cell, count)
    ) one
"""
# What lies beyond Web Mercator is cut off before it is projected. An area too small to draw is a dot, in the tile of its point.
FEATURES = """
    SELECT ST_AsMVT(one, %(layer)s, %(extent)s, 'geom', 'id') FROM (
        SELECT told.id, told.properties::jsonb AS properties, coalesce(shape.drawn, ST_MakePoint(told.x, told.y)) AS geom
        FROM unnest(%(id)s::bigint[], %(x)s::int[], %(y)s::int[], %(shape)s::text[], %(properties)s::text[])
            AS told (id, x, y, shape, properties)
        LEFT JOIN LATERAL (
            SELECT ST_AsMVTGeom(
                ST_Transform(ST_Intersection(ST_SetSRID(ST_GeomFromGeoJSON(told.shape), 4326),
                    ST_MakeEnvelope(-180, -85.0511287798066, 180, 85.0511287798066, 4326)), 3857),
                ST_TileEnvelope(%(z)s, %(column)s, %(row)s), %(extent)s, 64, true) AS drawn
            WHERE told.shape IS NOT NULL
        ) shape ON TRUE
    ) one WHERE geom IS NOT NULL
"""


@dataclass(frozen=True)
class Drawable:
    """A feature with where its point is drawn in the tile (None: the point lies in another tile), and its area, if it has one."""

    id: int
    spot: tuple[int, int] | None
    shape: object
    properties: Mapping[str, object]


def encode_cells(cursor: Cursor, layer: str, address: TileAddress, counts: Mapping[int, int]) -> bytes:
    """Return a tile of one point a cell, with `cell` and `count`. A cell across the tile's edge is told in both tiles, in each with what
    lies in it, and drawn inside."""
    known = sorted(counts)
    spots = [(EXTENT // 2, EXTENT // 2) if cell == cells.UNKNOWN else address.spot(*cells.center(cell)) for cell in known]
    values = {
        "layer": layer,
        "extent": EXTENT,
        "x": [x for x, _ in spots],
        "y": [y for _, y in spots],
        "cell": [None if cell == cells.UNKNOWN else cells.text(cell) for cell in known],
        "count": [counts[cell] for cell in known],
    }
    return _written(cursor, COUNTED, values)


def encode_features(cursor: Cursor, layer: str, address: TileAddress, features: list[Drawable]) -> bytes:
    values = {
        "layer": layer,
        "extent": EXTENT,
        "z": address.z,
        "column": address.x,
        "row": address.y,
        "id": [one.id for one in features],
        "x": [one.spot[0] if one.spot else None for one in features],
        "y": [one.spot[1] if one.spot else None for one in features],
        "shape": [orjson.dumps(one.shape).decode() if one.shape else None for one in features],
        "properties": [orjson.dumps(one.properties).decode() for one in features],
    }
    return _written(cursor, FEATURES, values)


def _written(cursor: Cursor, statement: str, values: dict[str, object]) -> bytes:
    cursor.execute(statement, values)
    return bytes(cursor.fetchall()[0][0] or b"")
