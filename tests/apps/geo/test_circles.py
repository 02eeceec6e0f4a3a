"""Circles drawn as polygons, against the great-circle distance."""

from math import asin, cos, radians, sin, sqrt

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from apps.geo.circles import EARTH_RADIUS_M, CircleTooLarge, destination, outline


def haversine_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    lon1, lat1, lon2, lat2 = (radians(degree) for degree in (*a, *b))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(half))


@given(st.floats(-180, 180), st.floats(-80, 80), st.floats(10, 100_000))
def test_every_vertex_lies_at_the_radius(lon: float, lat: float, radius_m: float) -> None:
    ring = outline(lon, lat, radius_m=radius_m)
    assert len(ring) == 73
    assert ring[0] == ring[-1]
    for vertex in ring:
        assert haversine_m((lon, lat), vertex) == pytest.approx(radius_m, rel=1e-6, abs=1e-3)


@given(st.floats(-170, 170), st.floats(-80, 80), st.floats(10, 100_000))
def test_it_is_a_valid_counterclockwise_polygon_around_its_center(lon: float, lat: float, radius_m: float) -> None:
    polygon = shapely.Polygon(outline(lon, lat, radius_m=radius_m))
    assert polygon.is_valid
    assert polygon.exterior.is_ccw
    assert polygon.contains(shapely.Point(lon, lat))


def test_a_degree_along_the_equator() -> None:
    lon, lat = destination(0, 0, bearing_deg=90, distance_m=EARTH_RADIUS_M * radians(1))
    assert (lon, lat) == (pytest.approx(1), pytest.approx(0, abs=1e-12))


@pytest.mark.parametrize(("lat", "radius_m"), [(89.9, 50_000), (0, 2_000_000), (-90, 1)])
def test_what_cannot_be_drawn_is_refused(lat: float, radius_m: float) -> None:
    with pytest.raises(CircleTooLarge):
        outline(0, lat, radius_m=radius_m)
