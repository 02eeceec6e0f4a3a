"""What area a fence may have."""

from dataclasses import dataclass

from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Point, Polygon

from apps.geo.circles import outline
from apps.geofences.models import FenceShape


class UnusableFence(ValueError):
    """The area or the times cannot be a fence's; the text says why."""


@dataclass(frozen=True)
class Circle:
    """WGS 84 degrees and meters."""

    lon: float
    lat: float
    radius_m: float


Area = Circle | GEOSGeometry


@dataclass(frozen=True)
class Shaped:
    shape: FenceShape
    geom: MultiPolygon
    center: Point | None = None
    radius_m: float | None = None


def shape_of(area: Area) -> Shaped:
    """Return what is stored of a circle, or of a Polygon or MultiPolygon in WGS 84.

    Raises UnusableFence, geo.circles.CircleTooLarge.
    """
    return _of_circle(area) if isinstance(area, Circle) else Shaped(FenceShape.POLYGON, _polygons(area))


def _of_circle(circle: Circle) -> Shaped:
    if not (abs(circle.lon) <= 180 and abs(circle.lat) <= 90 and circle.radius_m > 0):
        raise UnusableFence("a circle needs a center on the earth and a radius above 0 m")
    ring = outline(circle.lon, circle.lat, radius_m=circle.radius_m)
    geom = MultiPolygon(Polygon(ring), srid=4326)
    return Shaped(FenceShape.CIRCLE, geom, Point(circle.lon, circle.lat, srid=4326), circle.radius_m)


def _polygons(area: GEOSGeometry) -> MultiPolygon:
    shape = MultiPolygon(area, srid=4326) if isinstance(area, Polygon) else area
    if not isinstance(shape, MultiPolygon) or shape.empty:
        raise UnusableFence(f"a fence is a polygon or a circle, not a {area.geom_type}")
    west, south, east, north = shape.extent
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise UnusableFence("the polygon lies outside the earth's degrees; are longitude and latitude swapped?")
    if not shape.valid:
        raise UnusableFence(f"the polygon is not valid: {shape.valid_reason}")
    return shape
