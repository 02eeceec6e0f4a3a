"""All fences as one spatial index, asked with thousands of points at once."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from apps.geo.box_index import BoxIndex
from apps.geo.clock import microseconds
from apps.layers.definition import Cursor

EARTH_RADIUS_M = 6_371_008.8  # mean radius R1, IUGG
FOREVER_US = 2**62
LOAD = """
    SELECT id, agency_id, ST_AsBinary(geom), ST_X(center), ST_Y(center), radius_m, active_from, active_to
    FROM geofences_fence WHERE removed_at IS NULL ORDER BY id
"""
REVISIONS = "SELECT agency_id, rev FROM layers_layerrevision WHERE layer = 'fences' ORDER BY agency_id"


def distance_m(
    lon1: NDArray[np.float64], lat1: NDArray[np.float64], lon2: NDArray[np.float64], lat2: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Great-circle distance in meters (haversine; R. W. Sinnott, Sky and Telescope 68, 1984). Degrees in."""
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    a = np.sin((phi2 - phi1) / 2) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin(np.radians(lon2 - lon1) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(a)))


@dataclass(frozen=True)
class FenceIndex:
    """Fences in ascending id. `radius_m` is NaN for polygons. `revisions`: (agency id, rev) that the index shows."""

    revisions: tuple[tuple[int, int], ...]
    fence_id: NDArray[np.int64]
    agency_id: NDArray[np.int64]
    center_lon: NDArray[np.float64]
    center_lat: NDArray[np.float64]
    radius_m: NDArray[np.float64]
    active_from_us: NDArray[np.int64]
    active_to_us: NDArray[np.int64]
    outlines: NDArray[np.object_]
    index: BoxIndex

    def memberships(
        self, *, lon: NDArray[np.float64], lat: NDArray[np.float64], agency_id: NDArray[np.int64], observed_us: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return pairs (place of the point, fence id): the point is in or on a fence of its agency that is active then.
        A circle counts by great-circle distance from its center, not by its drawn outline."""
        place, fence = self.index.candidates(lon, lat)
        keep = (self.agency_id[fence] == agency_id[place]) & (self.active_from_us[fence] <= observed_us[place])
        keep &= observed_us[place] < self.active_to_us[fence]
        place, fence = place[keep], fence[keep]
        inside = self._covers(fence, lon[place], lat[place])
        return place[inside], self.fence_id[fence[inside]]

    def _covers(self, fence: NDArray[np.int64], lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
        inside = np.empty(len(fence), bool)
        circle = ~np.isnan(self.radius_m[fence])
        area, one = fence[~circle], fence[circle]
        inside[~circle] = shapely.intersects_xy(self.outlines[area], lon[~circle], lat[~circle])
        distance = distance_m(lon[circle], lat[circle], self.center_lon[one], self.center_lat[one])
        inside[circle] = distance <= self.radius_m[one]
        return inside


def _boxes(outlines: NDArray[np.object_], radius_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return west, south, east, north of each; of a circle a little more, since its drawn outline cuts corners."""
    boxes = shapely.bounds(outlines).reshape(-1, 4)
    margin = np.where(np.isnan(radius_m), 0, 0.02)[:, None] * (boxes[:, 2:] - boxes[:, :2])
    return np.hstack([boxes[:, :2] - margin, boxes[:, 2:] + margin])


def load_fence_index(cursor: Cursor) -> FenceIndex:
    """Read revisions first: fences changed in between make the index newer than it says, and the batch's check repeats."""
    cursor.execute(REVISIONS)
    revisions = tuple((int(agency), int(rev)) for agency, rev in cursor.fetchall())
    cursor.execute(LOAD)
    rows = cursor.fetchall()
    outlines = np.array([shapely.from_wkb(bytes(row[2])) for row in rows], object)
    shapely.prepare(outlines)

    def number(place: int) -> NDArray[np.float64]:
        return np.array([np.nan if row[place] is None else row[place] for row in rows], np.float64)

    return FenceIndex(
        revisions=revisions,
        fence_id=np.array([row[0] for row in rows], np.int64),
        agency_id=np.array([row[1] for row in rows], np.int64),
        center_lon=number(3),
        center_lat=number(4),
        radius_m=number(5),
        active_from_us=np.array([microseconds(row[6]) for row in rows], np.int64),
        active_to_us=np.array([microseconds(row[7]) if row[7] else FOREVER_US for row in rows], np.int64),
        outlines=outlines,
        index=BoxIndex.build(_boxes(outlines, number(5))),
    )
