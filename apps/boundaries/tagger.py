"""Which boundaries many points fall in, asked of memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely
from numpy.typing import NDArray

from apps.layers.definition import Cursor

READ = """
    SELECT id, agency_id, ST_AsBinary(geom) FROM boundaries_boundary
    WHERE agency_id = ANY(%s) AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s) ORDER BY id
"""


@dataclass(frozen=True)
class BoundaryIndex:
    """The boundaries of some agencies that were valid at a time. Frozen: load a new one when the layer's revision moves."""

    ids: NDArray[np.int64]
    agencies: NDArray[np.int64]
    tree: shapely.STRtree

    @classmethod
    def load(cls, cursor: Cursor, agencies: Sequence[int], *, at: datetime) -> "BoundaryIndex":
        cursor.execute(READ, [list(agencies), at, at])
        rows = cursor.fetchall()
        shapes = shapely.from_wkb([bytes(row[2]) for row in rows])
        shapely.prepare(shapes)
        ids = np.array([row[0] for row in rows], dtype=np.int64)
        return cls(ids, np.array([row[1] for row in rows], dtype=np.int64), shapely.STRtree(shapes))

    def pairs(
        self, lons: NDArray[np.float64], lats: NDArray[np.float64], agencies: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (places of points, ids of boundaries), each pair once, ordered by place and id.

        Degrees, WGS 84; NaN falls in nothing. A point on an edge falls in both sides. With `agencies` (one a point), only
        boundaries of the point's own agency count.
        """
        points, shapes = self.tree.query(shapely.points(lons, lats))
        inside = shapely.intersects_xy(self.tree.geometries[shapes], lons[points], lats[points])
        points, shapes = points[inside], shapes[inside]
        if agencies is not None:
            own = self.agencies[shapes] == agencies[points]
            points, shapes = points[own], shapes[own]
        order = np.lexsort((self.ids[shapes], points))
        return points[order], self.ids[shapes][order]

    def ids_at(
        self, lons: NDArray[np.float64], lats: NDArray[np.float64], agencies: NDArray[np.int64] | None = None
    ) -> list[list[int]]:
        """Return for each point the ids of the boundaries that it falls in, ascending. See `pairs`."""
        points, ids = self.pairs(lons, lats, agencies)
        cuts = np.searchsorted(points, np.arange(1, len(lons)))
        return [group.tolist() for group in np.split(ids, cuts)] if len(lons) else []
