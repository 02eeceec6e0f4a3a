"""An index of boxes that answers for thousands of points at once: a uniform grid, kept as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CELLS_A_SIDE = 256


@dataclass(frozen=True)
class BoxIndex:
    """`boxes`: shape (n, 4), west, south, east, north in degrees. Cell c holds boxes members[starts[c]:starts[c + 1]]."""

    boxes: NDArray[np.float64]
    origin: NDArray[np.float64]
    cell: NDArray[np.float64]
    starts: NDArray[np.int64]
    members: NDArray[np.int64]

    @classmethod
    def build(cls, boxes: NDArray[np.float64]) -> "BoxIndex":
        """Raises ValueError when a box is not finite."""
        if not np.isfinite(boxes).all():
            raise ValueError("a box of the index is not finite")
        low = boxes[:, :2].min(axis=0) if len(boxes) else np.zeros(2)
        high = boxes[:, 2:].max(axis=0) if len(boxes) else np.ones(2)
        cell = np.maximum((high - low) / CELLS_A_SIDE, 1e-9)
        first = _clipped((boxes[:, :2] - low) / cell)
        last = _clipped((boxes[:, 2:] - low) / cell)
        cells, members = _covered(first, last)
        order = np.argsort(cells, kind="stable")
        starts = np.searchsorted(cells[order], np.arange(CELLS_A_SIDE**2 + 1))
        return cls(boxes, low, cell, starts, members[order])

    def candidates(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return pairs (place of the point, place of the box): the point is in or on the box. Ascending by point."""
        if not len(self.boxes) or not len(x):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        column, row = (np.floor((values - low) / size) for values, low, size in zip((x, y), self.origin, self.cell, strict=True))
        near = np.flatnonzero((column >= 0) & (column <= CELLS_A_SIDE) & (row >= 0) & (row <= CELLS_A_SIDE))
        cells = _clipped(row[near]) * CELLS_A_SIDE + _clipped(column[near])
        counts = self.starts[cells + 1] - self.starts[cells]
        points = np.repeat(near, counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        found = self.members[np.repeat(self.starts[cells], counts) + within]
        west, south, east, north = self.boxes[found].T
        inside = (x[points] >= west) & (x[points] <= east) & (y[points] >= south) & (y[points] <= north)
        return points[inside], found[inside]


def _clipped(cells: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(cells.astype(np.int64), 0, CELLS_A_SIDE - 1)


def _covered(first: NDArray[np.int64], last: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (cell, box) for every cell that a box touches."""
    wide, tall = (last - first + 1).T if len(first) else (np.empty(0, np.int64), np.empty(0, np.int64))
    box = np.repeat(np.arange(len(first)), wide * tall)
    step = np.arange(len(box)) - np.repeat(np.cumsum(wide * tall) - wide * tall, wide * tall)
    column, row = first[box, 0] + step % wide[box], first[box, 1] + step // wide[box]
    return row * CELLS_A_SIDE + column, box
