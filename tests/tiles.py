"""Vector tiles as a map program asks for them and as it reads them."""

from typing import Any

import mapbox_vector_tile

from apps.geo.tile_address import FINEST, TileAddress, column_row


def around(lon: float, lat: float, zoom: int) -> TileAddress:
    """Return the tile of a zoom in which a place lies."""
    x, y = column_row(lon, lat)
    return TileAddress(zoom, x >> FINEST - zoom, y >> FINEST - zoom)


def path_of(layer: str, address: TileAddress) -> str:
    return f"/api/layers/{layer}/tiles/{address.z}/{address.x}/{address.y}.mvt"


def features_of(mvt: bytes) -> dict[str, list[dict[str, Any]]]:
    """Return the features of each layer that a tile holds, coordinates from its north-west corner."""
    layers = mapbox_vector_tile.decode(mvt, default_options={"y_coord_down": True})
    return {name: layer["features"] for name, layer in layers.items()}


def how_many(mvt: bytes) -> int:
    """Return how many features a tile tells of; a cell stands for its count."""
    return sum(feature["properties"].get("count", 1) for features in features_of(mvt).values() for feature in features)
