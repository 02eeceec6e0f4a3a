"""Stream tiles: Web Mercator tiles of one zoom, each with its agency packed into one integer key."""

from collections.abc import Iterable, Sequence
from math import asinh, floor, pi, radians, tan

import numpy as np
from numpy.typing import NDArray

from apps.tracks.records import DEGREE

TILE_ZOOM = 13
SIDE = 1 << TILE_ZOOM
ALL_TILES = 0xFFFFFFFF
WIDE_VIEW = 256  # tiles; a wider view is served by one pseudo tile that holds all of an agency
MAX_LATITUDE_DEG = 85.0511287798066  # atan(sinh(pi)), where Web Mercator ends
AGENCY_SHIFT = 2 * TILE_ZOOM


def tile_keys(agency_id: int, lon: NDArray[np.int32], lat: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the key of the tile of each point (1e-7 degrees)."""
    x = np.floor((lon / DEGREE + 180) / 360 * SIDE)
    phi = np.radians(np.clip(lat / DEGREE, -MAX_LATITUDE_DEG, MAX_LATITUDE_DEG))
    y = np.floor((1 - np.arcsinh(np.tan(phi)) / np.pi) / 2 * SIDE)
    column, row = (np.clip(axis, 0, SIDE - 1).astype(np.int64) for axis in (x, y))
    return (agency_id << AGENCY_SHIFT) | (column << TILE_ZOOM) | row


def all_key(agency_id: int) -> int:
    """Return the key of the pseudo tile that holds all of an agency."""
    return -agency_id


def agency_of(key: int) -> int:
    return -key if key < 0 else key >> AGENCY_SHIFT


def address_of(key: int) -> tuple[int, int, int]:
    """Return agency, column and row of a key."""
    if key < 0:
        return -key, ALL_TILES, ALL_TILES
    return key >> AGENCY_SHIFT, (key >> TILE_ZOOM) & (SIDE - 1), key & (SIDE - 1)


def column_of(lon_deg: float) -> int:
    return min(SIDE - 1, max(0, floor((lon_deg + 180) / 360 * SIDE)))


def row_of(lat_deg: float) -> int:
    phi = radians(min(MAX_LATITUDE_DEG, max(-MAX_LATITUDE_DEG, lat_deg)))
    return min(SIDE - 1, max(0, floor((1 - asinh(tan(phi)) / pi) / 2 * SIDE)))


def watched_keys(bbox: Sequence[float], agencies: Iterable[int]) -> tuple[int, ...]:
    """Return the keys that a view (west, south, east, north in degrees) watches: its tiles, or the pseudo tiles when it is wide."""
    west, south, east, north = bbox
    columns = range(column_of(west), column_of(east) + 1)
    rows = range(row_of(north), row_of(south) + 1)
    if len(columns) * len(rows) > WIDE_VIEW:
        return tuple(all_key(agency) for agency in agencies)
    return tuple((agency << AGENCY_SHIFT) | (x << TILE_ZOOM) | y for agency in agencies for x in columns for y in rows)
