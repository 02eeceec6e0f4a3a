"""Which boundaries many points fall in."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import shapely
from django.contrib.gis.geos import Point
from django.db import connection

from apps.accounts.models import Agency
from apps.boundaries.models import Boundary
from apps.boundaries.operations import load
from apps.boundaries.tagger import BoundaryIndex
from tests.world import NOON, make_agency, minutes

pytestmark = pytest.mark.django_db


def square(agency: Agency, code: str, west: float, east: float, valid_to: datetime | None = None) -> Boundary:
    ring = f"MULTIPOLYGON((({west} 0, {east} 0, {east} 1, {west} 1, {west} 0)))"
    return Boundary.objects.create(agency=agency, kind="beat", code=code, geom=ring, valid_from=NOON, valid_to=valid_to)


def index(*agencies: Agency, at: datetime = NOON) -> BoundaryIndex:
    with connection.cursor() as cursor:
        return BoundaryIndex.load(cursor, [agency.pk for agency in agencies], at=at)


def test_points_get_the_ids_that_they_fall_in() -> None:
    agency = make_agency()
    a, b = square(agency, "a", 0, 2), square(agency, "b", 1, 3)
    found = index(agency).ids_at(np.array([0.5, 1.5, 2.5, 9.0, np.nan]), np.array([0.5, 0.5, 0.5, 0.5, 0.5]))
    assert found == [[a.pk], [a.pk, b.pk], [b.pk], [], []]


def test_a_point_on_the_edge_is_in_both() -> None:
    agency = make_agency()
    a, b = square(agency, "a", 0, 1), square(agency, "b", 1, 2)
    assert index(agency).ids_at(np.array([1.0]), np.array([0.5])) == [[a.pk, b.pk]]


def test_it_holds_what_is_valid_at_its_time() -> None:
    agency = make_agency()
    old = square(agency, "a", 0, 1, valid_to=NOON + minutes(5))
    there = np.array([0.5]), np.array([0.5])
    assert index(agency).ids_at(*there) == [[old.pk]]
    assert index(agency, at=NOON + minutes(5)).ids_at(*there) == [[]]
    assert index(agency, at=NOON - minutes(1)).ids_at(*there) == [[]]


def test_a_point_gets_its_own_agencys_boundaries() -> None:
    own, other = make_agency("own"), make_agency("other")
    a, b = square(own, "a", 0, 1), square(other, "b", 0, 1)
    both = index(own, other)
    lons, lats = np.array([0.5, 0.5]), np.array([0.5, 0.5])
    assert both.ids_at(lons, lats, np.array([own.pk, other.pk])) == [[a.pk], [b.pk]]
    assert both.ids_at(lons, lats) == [[a.pk, b.pk]] * 2


def test_without_boundaries_or_points_it_answers_nothing() -> None:
    empty = index(make_agency())
    assert empty.ids_at(np.array([0.5]), np.array([0.5])) == [[]]
    assert empty.ids_at(np.array([]), np.array([])) == []


@pytest.mark.recorded
def test_it_agrees_with_postgis_in_a_real_city(recorded: Path) -> None:
    agency = make_agency()
    file = recorded / "boundaries" / "chicago_police_beats.geojson.gz"
    load(path=file, agency=agency, kind="beat", code_field="District", name_field=None, valid_from=NOON)
    rng = np.random.default_rng(7)
    lons, lats = rng.uniform(-87.9, -87.5, 300), rng.uniform(41.6, 42.05, 300)
    found = index(agency).ids_at(lons, lats)
    for lon, lat, ids in zip(lons, lats, found, strict=True):
        inside = Boundary.objects.filter(geom__covers=Point(lon, lat, srid=4326)).order_by("pk")
        assert ids == list(inside.values_list("pk", flat=True))
    assert sum(map(bool, found)) > 50
    assert shapely.is_valid(index(agency).tree.geometries).all()
