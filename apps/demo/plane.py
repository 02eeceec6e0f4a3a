"""A flat plane of meters around the middle of the invented town, and back to degrees."""

import math
from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Coordinates = NDArray[np.float64]

# Ranch land in south Texas, in the time zone of America/Chicago. No street is here: Harbor City is invented.
MIDDLE = (-98.96, 27.02)
METERS_A_DEGREE = 111_195.0
METERS_A_DEGREE_EAST = METERS_A_DEGREE * math.cos(math.radians(MIDDLE[1]))


def to_degrees(meters: Coordinates) -> Coordinates:
    """Return lon, lat (WGS 84) of an (n, 2) array of meters east and north of the middle, by a local flat Earth."""
    return np.column_stack([MIDDLE[0] + meters[:, 0] / METERS_A_DEGREE_EAST, MIDDLE[1] + meters[:, 1] / METERS_A_DEGREE])


def bend(meters: Coordinates) -> Coordinates:
    """Turn a square grid by 7 degrees and wave it a little, as towns are: lines stay lines that meet where they met."""
    x, y = meters[:, 0], meters[:, 1]
    x, y = x + 55 * np.sin(y / 800), y + 75 * np.sin(x / 1200)
    angle = math.radians(7)
    return np.column_stack([x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)])


def map_geometry(geometry: BaseGeometry, change: Callable[[Coordinates], Coordinates]) -> BaseGeometry:
    changed: BaseGeometry = shapely.transform(geometry, change)
    return changed
