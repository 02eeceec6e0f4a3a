"""H3 cells as integers: the finest of a point, its ancestors by arithmetic alone, and which resolution fits a tile's zoom."""

from collections.abc import Iterable
from functools import lru_cache

import h3.api.basic_int as h3

FINEST = 15
UNKNOWN = 0
"""The cell of a point of which none was computed: it is counted all the same."""
# Cells shrink to a seventh, tiles to a quarter: 400 to 2,100 cells a tile at the equator.
RESOLUTIONS = (1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 10, 11, 12, 13, 13, 14, 15, 15, 15)
VALID = 1 << 59
"""H3 marks a cell so (mode 1); what is smaller is none."""


def cell_of(lon: float, lat: float) -> int:
    """Return the finest cell (resolution 15, about 1 m²) of a point in WGS 84 degrees."""
    return int(h3.latlng_to_cell(lat, lon, FINEST))


def resolution_of(zoom: int) -> int:
    return RESOLUTIONS[zoom]


def parent(cell: int, resolution: int) -> int:
    """Return the ancestor of a cell; UNKNOWN stays unknown. H3 keeps the resolution in bits 52 to 55 and three bits a digit below;
    digits finer than the resolution are all ones."""
    if cell < VALID:
        return UNKNOWN
    return (cell & ~(15 << 52)) | (resolution << 52) | _finer(resolution)


def _finer(resolution: int) -> int:
    return (1 << 3 * (15 - resolution)) - 1


def group_sql(column: str, resolution: int) -> str:
    """Return SQL that is the same for cells of one ancestor and differs between others; null where the cell is not known. `grouped`
    makes cells of it: one operation a row in the database, the rest once a group."""
    return f"({column} | {_finer(resolution)})"


def grouped(rows: Iterable[tuple[int | None, int]], resolution: int) -> dict[int, int]:
    """Return the number of each ancestor from rows of `group_sql` and a number."""
    counts: dict[int, int] = {}
    for group, number in rows:
        cell = parent(group or UNKNOWN, resolution)
        counts[cell] = counts.get(cell, 0) + int(number)
    return counts


@lru_cache(maxsize=65_536)
def center(cell: int) -> tuple[float, float]:
    """Return longitude and latitude in degrees."""
    lat, lon = h3.cell_to_latlng(cell)
    return lon, lat


def text(cell: int) -> str:
    """Return a cell's id as H3 writes it."""
    return f"{cell:x}"
