"""H3 cells as integers: the finest of a point, its ancestors by arithmetic alone, and which resolution fits a tile's zoom."""

from functools import lru_cache

import h3.api.basic_int as h3

FINEST = 15
UNKNOWN = 0
"""The cell of a point of which none was computed: it is counted all the same."""
# Cells shrink to a seventh, tiles to a quarter: 400 to 2,100 cells a tile at the equator.
RESOLUTIONS = (1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 10, 11, 12, 13, 13, 14, 15, 15, 15)
# H3 keeps the resolution in bits 52 to 55 and three bits a digit below; digits finer than the resolution are all ones.
PARENT = "(({cell} & ~(15::bigint << 52)) | ({resolution}::bigint << 52) | ((1::bigint << (3 * (15 - {resolution}))) - 1))"


def cell_of(lon: float, lat: float) -> int:
    """Return the finest cell (resolution 15, about 1 m²) of a point in WGS 84 degrees."""
    return int(h3.latlng_to_cell(lat, lon, FINEST))


def resolution_of(zoom: int) -> int:
    return RESOLUTIONS[zoom]


def parent(cell: int, resolution: int) -> int:
    """Return the ancestor of a cell. UNKNOWN stays unknown."""
    if cell == UNKNOWN:
        return UNKNOWN
    return (cell & ~(15 << 52)) | (resolution << 52) | ((1 << 3 * (15 - resolution)) - 1)


def parent_sql(cell: str, resolution: int) -> str:
    """Return the SQL of `parent` for a column that may be null or unknown."""
    return f"CASE WHEN {cell} > 0 THEN {PARENT.format(cell=cell, resolution=resolution)} ELSE {UNKNOWN} END"


@lru_cache(maxsize=65_536)
def center(cell: int) -> tuple[float, float]:
    """Return longitude and latitude in degrees."""
    lat, lon = h3.cell_to_latlng(cell)
    return lon, lat


def text(cell: int) -> str:
    """Return a cell's id as H3 writes it."""
    return f"{cell:x}"
