"""Areas of the invented town that are worth a fence."""

from dataclasses import dataclass

import shapely
from django.contrib.gis.geos import GEOSGeometry
from shapely import Point, box
from shapely.geometry.base import BaseGeometry

from apps.demo import town
from apps.demo.plane import bend, map_geometry
from apps.demo.roads import lng_lat
from apps.geofences.shapes import Area, Circle


@dataclass(frozen=True)
class Place:
    name: str
    category: str
    area: Area


def circle(x: float, y: float, radius_m: float) -> Circle:
    lon, lat = lng_lat(x, y)
    return Circle(lon=lon, lat=lat, radius_m=radius_m)


def outline(shape: BaseGeometry) -> GEOSGeometry:
    return GEOSGeometry(memoryview(shapely.to_wkb(shapely.set_precision(town.in_degrees(shape), 1e-7))), srid=4326)


def blocks_around(x: float, y: float, width_m: float, height_m: float) -> GEOSGeometry:
    return outline(map_geometry(shapely.segmentize(box(x, y, x + width_m, y + height_m), 50), bend))


def all_places() -> list[Place]:
    _, harbor, park = (area.polygon for area in town.areas())
    quay = harbor.buffer(350).difference(harbor.buffer(20)).intersection(Point(2300, -2300).buffer(1400))
    return [
        Place("Courthouse square", "government", blocks_around(-260, -520, 520, 420)),
        Place("Lincoln Elementary school zone", "school", circle(1650, 1450, 230)),
        Place("Riverside High school zone", "school", circle(-2250, -700, 280)),
        Place("St. Anne Hospital", "hospital", circle(900, -1150, 260)),
        Place("Mission Park", "park", outline(park.simplify(3))),
        Place("Port terminal", "port", outline(quay)),
        Place("Stadium", "event", circle(2500, 600, 330)),
        Place("Union Depot", "transit", blocks_around(-1500, -1750, 380, 300)),
    ]
