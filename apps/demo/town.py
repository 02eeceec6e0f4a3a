"""Harbor City, an invented town: streets, a river, a park, districts and beats, and areas worth a fence. Always the same."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely
from shapely import LineString, MultiLineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from apps.demo.plane import bend, map_geometry, to_degrees

SEED = 1847
HALF_WIDTH_M, HALF_HEIGHT_M = 3750, 3000
AVENUES = [
    "Alder", "Ash", "Bay", "Beech", "Birch", "Cedar", "Chestnut", "Cypress", "Dogwood", "Elm", "Fir", "Hackberry", "Hawthorn",
    "Hickory", "Juniper", "Laurel", "Linden", "Locust", "Magnolia", "Main", "Maple", "Mesquite", "Mulberry", "Oak", "Olive",
    "Palmetto", "Pecan", "Pine", "Poplar", "Sycamore", "Willow",
]  # fmt: skip
SECONDARY_EVERY, PRIMARY_EVERY = 3, 6


@dataclass(frozen=True)
class Street:
    """A stretch of a street, in meters on the plane. `kind`: motorway, primary, secondary or residential."""

    name: str
    kind: str
    line: LineString


@dataclass(frozen=True)
class Area:
    name: str
    kind: str
    polygon: BaseGeometry


def ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def rank_of(index: int) -> str:
    if index % PRIMARY_EVERY == 0:
        return "primary"
    return "secondary" if index % SECONDARY_EVERY == 0 else "residential"


def dense(points: list[tuple[float, float]]) -> LineString:
    """Return the line with a vertex at least every 60 m, so that bending it shows."""
    return shapely.segmentize(LineString(points), 60)


def grid() -> list[Street]:
    xs = np.linspace(-HALF_WIDTH_M, HALF_WIDTH_M, len(AVENUES))
    ys = np.linspace(-HALF_HEIGHT_M, HALF_HEIGHT_M, 25)
    avenues = [
        Street(f"{name} Ave", rank_of(i + 3), dense([(x, -HALF_HEIGHT_M), (x, HALF_HEIGHT_M)]))
        for i, (name, x) in enumerate(zip(AVENUES, xs, strict=True))
    ]
    return avenues + [Street(f"{ordinal(j + 1)} St", rank_of(j), dense([(-HALF_WIDTH_M, y), (HALF_WIDTH_M, y)])) for j, y in enumerate(ys)]


def wave(x0: float, x1: float, middle: float, height: float, length: float, slope: float = 0.0) -> LineString:
    xs = np.linspace(x0, x1, 120)
    return LineString(np.column_stack([xs, middle + slope * xs + height * np.sin(xs / length)]))


def through_roads() -> list[Street]:
    """Roads that do not follow the grid; they are not bent again."""
    loop = Point(-1500, 1150).buffer(1, quad_segs=24)
    return [
        Street("Route 9", "motorway", wave(-4300, 4300, -1250, 380, 1500, 0.06)),
        Street("Old Mission Rd", "primary", LineString([(-3600, -3100), (-900, -500), (900, 900), (3300, 3300)])),
        Street("Levee Rd", "secondary", wave(-3700, 3700, 620, 330, 1100, -0.12)),
        Street("Depot Ave", "secondary", LineString([(-3500, 2600), (-400, 60), (2200, -2700)])),
        Street("Park Loop", "secondary", LineString(shapely.affinity.scale(loop, 640, 470).exterior)),
    ]


@cache
def areas() -> tuple[Area, ...]:
    river = wave(-4600, 4600, 300, 330, 1100, -0.12).buffer(75)
    park = shapely.affinity.scale(Point(-1500, 1150).buffer(1, quad_segs=24), 600, 430)
    harbor = Polygon([(2700, -1900), (4700, -1500), (4700, -4200), (1700, -4200), (2150, -2900)]).buffer(160)
    return (Area("Caney River", "water", river), Area("The Harbor", "water", harbor), Area("Mission Park", "park", park))


def split(line: BaseGeometry) -> list[LineString]:
    parts = line.geoms if isinstance(line, MultiLineString) else [line]
    return [part for part in parts if isinstance(part, LineString) and part.length > 40]


def cut(street: Street) -> list[Street]:
    """Take out what lies in the harbor, the river (but for bridges) and the park."""
    river, harbor, park = (area.polygon for area in areas())
    closed = shapely.union_all([harbor, park] if street.kind != "residential" else [harbor, park, river])
    return [Street(street.name, street.kind, part) for part in split(street.line.difference(closed))]


def noded(streets: list[Street]) -> list[Street]:
    """Cut all streets where they meet; each piece keeps the name of the street that it lies on."""
    pieces = shapely.get_parts(shapely.node(MultiLineString([street.line for street in streets])))
    tree = shapely.STRtree([street.line for street in streets])
    owners = tree.nearest(shapely.line_interpolate_point(pieces, 0.5, normalized=True))
    return [Street(streets[owner].name, streets[owner].kind, piece) for owner, piece in zip(owners, pieces, strict=True)]


@cache
def blocks() -> tuple[Street, ...]:
    """Return every stretch between two crossings. One residential block in eight is left out."""
    bent = [Street(street.name, street.kind, map_geometry(street.line, bend)) for street in grid()]
    pieces = noded([part for street in bent + through_roads() for part in cut(street)])
    keep = np.random.default_rng(SEED).random(len(pieces)) > 0.12
    return tuple(piece for piece, kept in zip(pieces, keep, strict=True) if kept or piece.kind != "residential")


def beats() -> list[Area]:
    """Return 16 beats: 4 in each of the 4 districts, as bent rectangles. A beat's name starts with its district's."""
    xs = np.linspace(-HALF_WIDTH_M - 200, HALF_WIDTH_M + 200, 5)
    ys = np.linspace(-HALF_HEIGHT_M - 200, HALF_HEIGHT_M + 200, 5)
    found = []
    for row in range(4):
        for column in range(4):
            district, place = 2 * (row // 2) + column // 2 + 1, 2 * (row % 2) + column % 2 + 1
            cell = shapely.segmentize(box(xs[column], ys[row], xs[column + 1], ys[row + 1]), 100)
            found.append(Area(f"{district}{place}", "beat", map_geometry(cell, bend)))
    return sorted(found, key=lambda beat: beat.name)


def districts() -> list[Area]:
    cells = beats()
    names = ["Southwest", "Southeast", "Northwest", "Northeast"]
    return [
        Area(f"{number} {name}", "district", shapely.union_all([cell.polygon for cell in cells if cell.name[0] == str(number)]))
        for number, name in enumerate(names, start=1)
    ]


def in_degrees(geometry: BaseGeometry) -> BaseGeometry:
    return map_geometry(geometry, to_degrees)
