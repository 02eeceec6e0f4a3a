"""Circles on the earth, drawn as polygons."""

from math import asin, atan2, cos, degrees, radians, sin

EARTH_RADIUS_M = 6_371_008.8  # mean radius R1, IUGG
VERTICES = 72
LONGEST_M = 1_000_000.0


class CircleTooLarge(ValueError):
    """The circle reaches a pole or is wider than 1,000 km, so a polygon of degrees cannot show it."""


def destination(lon: float, lat: float, *, bearing_deg: float, distance_m: float) -> tuple[float, float]:
    """Return the point at a distance along a great circle (degrees; Snyder, USGS PP 1395, eq. 5-5 and 5-6)."""
    phi, angle, bearing = radians(lat), distance_m / EARTH_RADIUS_M, radians(bearing_deg)
    end = asin(sin(phi) * cos(angle) + cos(phi) * sin(angle) * cos(bearing))
    turn = atan2(sin(bearing) * sin(angle) * cos(phi), cos(angle) - sin(phi) * sin(end))
    return lon + degrees(turn), degrees(end)


def outline(lon: float, lat: float, *, radius_m: float) -> list[tuple[float, float]]:
    """Return the closed ring (73 points, counterclockwise) of a circle. Longitudes run on past 180. Raises CircleTooLarge."""
    reach = degrees(radius_m / EARTH_RADIUS_M)
    if radius_m > LONGEST_M or abs(lat) + reach >= 90:
        raise CircleTooLarge(f"a circle of {radius_m:.0f} m at latitude {lat:.4f} cannot be drawn")
    step = 360 / VERTICES
    ring = [destination(lon, lat, bearing_deg=-step * place, distance_m=radius_m) for place in range(VERTICES)]
    return [*ring, ring[0]]
