"""Web Mercator tiles, and the place of a point as one integer in which every tile of every zoom is one range.

A place interleaves the column and the row of the point at zoom 31 (a Z-order, or Morton, code), about 2 cm on the ground. The tile
z/x/y holds the places from its first up to, and without, the first of what follows: so a point lies in one tile of a zoom, and in
no other. A longitude of 180 degrees is -180; what lies beyond Web Mercator's latitudes is in the outermost row.
"""

from dataclasses import dataclass
from math import asinh, atan, degrees, floor, pi, radians, sinh, tan

FINEST = 31
SIDE = 1 << FINEST
MOST_ZOOM = 22
EXTENT = 4096
EXTENT_BITS = 12
MAX_LATITUDE_DEG = 85.0511287798066  # atan(sinh(pi)), where Web Mercator ends


def column_row(lon: float, lat: float) -> tuple[int, int]:
    """Return column and row at zoom 31 of a point in WGS 84 degrees."""
    x = floor((lon + 180) / 360 * SIDE) % SIDE
    phi = radians(min(MAX_LATITUDE_DEG, max(-MAX_LATITUDE_DEG, lat)))
    y = floor((0.5 - asinh(tan(phi)) / (2 * pi)) * SIDE)
    return x, min(SIDE - 1, max(0, y))


def interleave(x: int, y: int) -> int:
    """Return the number whose even bits are those of x and whose odd bits are those of y."""
    return _spread(x) | (_spread(y) << 1)


def _spread(bits: int) -> int:
    for shift, mask in SPREAD:
        bits = (bits | (bits << shift)) & mask
    return bits


SPREAD = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def place_of(lon: float, lat: float) -> int:
    return interleave(*column_row(lon, lat))


@dataclass(frozen=True)
class TileAddress:
    """The tile z/x/y. Raises ValueError outside of the pyramid."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not (0 <= self.z <= MOST_ZOOM and 0 <= self.x < 1 << self.z and 0 <= self.y < 1 << self.z):
            raise ValueError(f"there is no tile {self.z}/{self.x}/{self.y}")

    def keys(self, zoom: int) -> tuple[int, int]:
        """Return the first key of a finer (or the same) zoom in this tile, and the first one behind it."""
        key = interleave(self.x, self.y)
        return key << 2 * (zoom - self.z), (key + 1) << 2 * (zoom - self.z)

    @property
    def places(self) -> tuple[int, int]:
        return self.keys(FINEST)

    def ancestor(self, zoom: int) -> "TileAddress":
        """Return the tile of a coarser (or the same) zoom that holds this one."""
        return TileAddress(zoom, self.x >> (self.z - zoom), self.y >> (self.z - zoom))

    def bbox(self, *, margin: float = 0) -> tuple[float, float, float, float]:
        """Return west, south, east, north in degrees, wider by a share of the tile on each side. The outermost rows reach the poles."""
        side = 1 << self.z
        west, east = ((self.x + part) / side * 360 - 180 for part in (-margin, 1 + margin))
        north, south = (latitude((self.y + part) / side) for part in (-margin, 1 + margin))
        return max(west, -180.0), -90.0 if self.y == side - 1 else south, min(east, 180.0), 90.0 if self.y == 0 else north

    def spot(self, lon: float, lat: float) -> tuple[int, int]:
        """Return where in the tile a point is drawn, in units of 1/4096 of its side; one outside is moved to the edge."""
        x, y = column_row(lon, lat)
        shift = FINEST - self.z
        column, row = (((at - (own << shift)) << EXTENT_BITS) >> shift for at, own in ((x, self.x), (y, self.y)))
        return min(EXTENT - 1, max(0, column)), min(EXTENT - 1, max(0, row))

    def holds(self, lon: float, lat: float) -> bool:
        x, y = column_row(lon, lat)
        shift = FINEST - self.z
        return (x >> shift, y >> shift) == (self.x, self.y)


def latitude(share: float) -> float:
    """Return the latitude in degrees of a share of Web Mercator's height, counted from the north."""
    return degrees(atan(sinh(pi * (1 - 2 * min(1.0, max(0.0, share))))))
