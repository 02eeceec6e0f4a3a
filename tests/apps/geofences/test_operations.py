"""Making, changing and removing fences, and the layer that shows them."""

from datetime import datetime
from typing import Any

import orjson
import pytest
from django.contrib.gis.geos import GEOSGeometry, Point
from django.db import connection

from apps.accounts.models import Agency
from apps.geo.circles import CircleTooLarge
from apps.geofences.fence_index import load_fence_index
from apps.geofences.layers import changed, page
from apps.geofences.models import Fence, FenceRevision
from apps.geofences.operations import Circle, FenceRemoved, UnusableFence, change_fence, make_fence, remove_fence
from apps.geofences.shapes import shape_of
from apps.layers.definition import FeatureRow, PageQuery
from apps.layers.window import BBox
from tests.world import NOON, make_agency, minutes, properties

pytestmark = pytest.mark.django_db
SQUARE = GEOSGeometry("POLYGON((-96 29, -95 29, -95 30, -96 30, -96 29))", srid=4326)


@pytest.fixture
def agency() -> Agency:
    return make_agency()


def read(agency: Agency, *, at: datetime | None = None, known: datetime | None = None, bbox: BBox | None = None) -> list[FeatureRow]:
    with connection.cursor() as cursor:
        return page(cursor, PageQuery([agency.pk], bbox, at, known, (0, 0), 100))


def replica(agency: Agency, after_rev: int) -> list[FeatureRow]:
    with connection.cursor() as cursor:
        return changed(cursor, agency.pk, after_rev)


def rename(fence: Fence, name: str, at: datetime) -> Fence:
    return change_fence(
        fence=fence, name=name, area=fence.geom, category=fence.category, active_from=fence.active_from, active_to=None, at=at
    )


def test_a_polygon_is_on_the_layer(agency: Agency) -> None:
    fence = make_fence(agency=agency, name="Yard", area=SQUARE, category="depot", at=NOON)
    (row,) = read(agency)
    assert (row.id, row.rev) == (fence.pk, 1)
    assert properties(row.geojson) == {
        "name": "Yard", "shape": "polygon", "radius_m": None, "center": None, "category": "depot", "agency": "metro",
        "active_from": "2026-03-01T12:00:00Z", "active_to": None,
    }  # fmt: skip
    assert row.geojson is not None
    assert orjson.loads(row.geojson)["geometry"]["type"] == "MultiPolygon"


def test_a_circle_keeps_its_center_and_radius(agency: Agency) -> None:
    fence = make_fence(agency=agency, name="School", area=Circle(-95.36, 29.76, 500), at=NOON)
    told = properties(read(agency)[0].geojson)
    assert (told["shape"], told["radius_m"], told["center"]) == ("circle", 500.0, [-95.36, 29.76])
    assert fence.geom.contains(Point(-95.36, 29.76))


def test_the_pipelines_index_holds_what_was_made(agency: Agency) -> None:
    fence = make_fence(agency=agency, name="School", area=Circle(-95.36, 29.76, 500), at=NOON)
    with connection.cursor() as cursor:
        index = load_fence_index(cursor)
    assert index.fence_id.tolist() == [fence.pk]
    assert index.revisions == ((agency.pk, 1),)


def test_a_change_is_a_revision(agency: Agency) -> None:
    fence = make_fence(agency=agency, name="Yard", area=SQUARE, at=NOON)
    rename(fence, "Old yard", NOON + minutes(5))
    assert [properties(row.geojson)["name"] for row in read(agency)] == ["Old yard"]
    assert list(FenceRevision.objects.order_by("id").values_list("name", "recorded_at")) == [
        ("Yard", NOON),
        ("Old yard", NOON + minutes(5)),
    ]


def test_the_past_shows_what_stood_then(agency: Agency) -> None:
    fence = make_fence(agency=agency, name="Yard", area=SQUARE, at=NOON)
    rename(fence, "Old yard", NOON + minutes(5))
    remove_fence(fence=fence, at=NOON + minutes(10))
    names = [[properties(row.geojson)["name"] for row in read(agency, at=NOON + minutes(m))] for m in (-1, 0, 4, 5, 9, 10)]
    assert names == [[], ["Yard"], ["Yard"], ["Old yard"], ["Old yard"], []]
    assert read(agency, known=NOON + minutes(4)) == read(agency, at=NOON + minutes(4))


def test_a_removed_fence_leaves_the_layer_and_the_index(agency: Agency) -> None:
    fence = make_fence(agency=agency, name="Yard", area=SQUARE, at=NOON)
    remove_fence(fence=fence, at=NOON + minutes(1))
    assert read(agency) == []
    assert replica(agency, 0) == []
    assert replica(agency, 1) == [FeatureRow(fence.pk, 2, None)]
    with connection.cursor() as cursor:
        assert len(load_fence_index(cursor).fence_id) == 0


def test_a_removed_fence_cannot_be_changed(agency: Agency) -> None:
    fence = make_fence(agency=agency, name="Yard", area=SQUARE, at=NOON)
    remove_fence(fence=fence, at=NOON + minutes(1))
    with pytest.raises(FenceRemoved):
        remove_fence(fence=fence, at=NOON + minutes(2))
    with pytest.raises(FenceRemoved):
        rename(fence, "again", NOON + minutes(2))


def test_a_replica_gets_what_changed(agency: Agency) -> None:
    make_fence(agency=agency, name="A", area=SQUARE, at=NOON)
    second = make_fence(agency=agency, name="B", area=SQUARE, at=NOON)
    assert [row.id for row in replica(agency, 1)] == [second.pk]
    assert len(replica(agency, 0)) == 2


def test_a_box_holds_what_touches_it(agency: Agency) -> None:
    make_fence(agency=agency, name="A", area=SQUARE, at=NOON)
    assert len(read(agency, bbox=(-95.5, 29.5, -94, 30))) == 1
    assert read(agency, bbox=(0, 0, 1, 1)) == []
    assert len(read(agency, bbox=(-95.5, 29.5, -94, 30), at=NOON)) == 1


@pytest.mark.parametrize(
    ("area", "why"),
    [
        (Circle(0, 0, 0), "above 0 m"),
        (Circle(200, 0, 5), "center on the earth"),
        (Circle(0, 0, float("nan")), "above 0 m"),
        (GEOSGeometry("POINT(1 1)"), "not a Point"),
        (GEOSGeometry("POLYGON EMPTY"), "not a Polygon"),
        (GEOSGeometry("POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))"), "not valid"),
        (GEOSGeometry("POLYGON((29 -196, 30 -196, 30 -195, 29 -196))"), "swapped"),
    ],
)
def test_what_cannot_be_a_fence_is_refused_with_its_reason(agency: Agency, area: Any, why: str) -> None:
    with pytest.raises(UnusableFence, match=why):
        make_fence(agency=agency, name="x", area=area, at=NOON)
    assert not Fence.objects.exists()


def test_a_circle_around_a_pole_is_refused(agency: Agency) -> None:
    with pytest.raises(CircleTooLarge):
        shape_of(Circle(0, 89.9, 100_000))


def test_an_end_before_the_start_is_refused(agency: Agency) -> None:
    with pytest.raises(UnusableFence, match="later than its start"):
        make_fence(agency=agency, name="x", area=SQUARE, at=NOON, active_to=NOON)
