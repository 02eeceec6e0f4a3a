"""The index of fences says what asking each fence about each point would say."""

import math
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from django.contrib.gis.geos import Polygon
from django.db import connection

from apps.accounts.models import Agency
from apps.geo.clock import microseconds
from apps.geofences.fence_index import FenceIndex, distance_m, load_fence_index
from apps.geofences.operations import Circle, make_fence, remove_fence
from tests import world

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CENTER = (-95.36, 29.76)


@pytest.fixture
def agency(db: None) -> Agency:
    return world.make_agency()


def index() -> FenceIndex:
    with connection.cursor() as cursor:
        return load_fence_index(cursor)


def ask(points: list[tuple[float, float]], agency: Agency, at: datetime = NOW) -> list[tuple[int, int]]:
    lon, lat = (np.array([point[axis] for point in points], np.float64) for axis in (0, 1))
    whose, when = np.full(len(points), agency.pk), np.full(len(points), microseconds(at))
    places, fences = index().memberships(lon=lon, lat=lat, agency_id=whose, observed_us=when)
    return sorted(zip(places.tolist(), fences.tolist(), strict=True))


def box(west: float, south: float, east: float, north: float) -> Polygon:
    area = Polygon.from_bbox((west, south, east, north))
    area.srid = 4326
    return area


def test_it_says_what_each_fence_says_alone(agency: Agency) -> None:
    rng = random.Random(3)
    holds = []
    for number in range(12):
        lon, lat = CENTER[0] + rng.uniform(-0.02, 0.02), CENTER[1] + rng.uniform(-0.02, 0.02)
        if number % 2:
            radius_m = rng.uniform(200, 1500)
            fence = make_fence(agency=agency, name=str(number), area=Circle(lon, lat, radius_m), at=NOW)
            holds.append((fence.pk, lambda x, y, at=(lon, lat), r=radius_m: chord_m(at, (x, y)) <= r))
        else:
            ring = [(lon + far * math.cos(turn), lat + far * math.sin(turn)) for turn in range(6) for far in [rng.uniform(0.002, 0.012)]]
            shape = shapely.Polygon(ring)
            fence = make_fence(agency=agency, name=str(number), area=Polygon([*ring, ring[0]], srid=4326), at=NOW)
            holds.append((fence.pk, lambda x, y, shape=shape: shape.intersects(shapely.Point(x, y))))
    points = [(CENTER[0] + rng.uniform(-0.04, 0.04), CENTER[1] + rng.uniform(-0.04, 0.04)) for _ in range(800)]
    wanted = sorted((place, fence) for place, point in enumerate(points) for fence, holding in holds if holding(*point))
    assert len(wanted) > 100
    assert ask(points, agency) == wanted


def chord_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance by way of the chord between two points on the sphere."""
    ends = [(math.cos(math.radians(y)) * math.cos(math.radians(x)), math.cos(math.radians(y)) * math.sin(math.radians(x)),
             math.sin(math.radians(y))) for x, y in (a, b)]  # fmt: skip
    return 2 * 6_371_008.8 * math.asin(min(1.0, math.dist(*ends) / 2))


def test_a_point_on_the_edge_is_inside(agency: Agency) -> None:
    fence = make_fence(agency=agency, name="box", area=box(-95.4, 29.7, -95.3, 29.8), at=NOW)
    assert ask([(-95.4, 29.75), (-95.3, 29.8), (-95.35, 29.7)], agency) == [(0, fence.pk), (1, fence.pk), (2, fence.pk)]


def test_a_circle_counts_by_distance_not_by_its_drawn_outline(agency: Agency) -> None:
    """The outline has 72 corners and cuts the arc between them; the point lies outside it and inside the circle."""
    fence = make_fence(agency=agency, name="circle", area=Circle(*CENTER, 1_000), at=NOW)
    reach_deg = math.degrees(999.6 / 6_371_008.8)
    turn = math.radians(2.5)
    point = (CENTER[0] + reach_deg * math.sin(turn) / math.cos(math.radians(CENTER[1])), CENTER[1] + reach_deg * math.cos(turn))
    assert not shapely.from_wkb(bytes(fence.geom.wkb)).intersects(shapely.Point(point))
    assert ask([point], agency) == [(0, fence.pk)]


def test_a_fence_holds_only_its_own_agency_and_only_while_active(agency: Agency) -> None:
    other = world.make_agency("other")
    fence = make_fence(agency=agency, name="box", area=box(-95.4, 29.7, -95.3, 29.8), at=NOW, active_to=NOW + timedelta(hours=1))
    assert ask([CENTER], other) == []
    assert ask([CENTER], agency, NOW - timedelta(microseconds=1)) == []
    assert ask([CENTER], agency, NOW) == [(0, fence.pk)]
    assert ask([CENTER], agency, NOW + timedelta(hours=1)) == []


def test_a_removed_fence_holds_nobody_and_changes_the_revision(agency: Agency) -> None:
    fence = make_fence(agency=agency, name="box", area=box(-95.4, 29.7, -95.3, 29.8), at=NOW)
    before = index().revisions
    remove_fence(fence=fence, at=NOW)
    assert ask([CENTER], agency) == []
    assert index().revisions != before


def test_without_fences_nobody_is_inside(agency: Agency) -> None:
    assert ask([CENTER], agency) == []


def test_distance_is_the_great_circles() -> None:
    houston, dallas = (-95.3698, 29.7604), (-96.7970, 32.7767)
    lon1, lat1, lon2, lat2 = (np.array([value]) for value in (*houston, *dallas))
    assert distance_m(lon1, lat1, lon2, lat2)[0] == pytest.approx(chord_m(houston, dallas), rel=1e-9)
    assert distance_m(lon1, lat1, lon2, lat2)[0] == pytest.approx(361_700, rel=0.01)
