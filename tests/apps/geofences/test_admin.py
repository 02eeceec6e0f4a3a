"""The plain form of a fence in the admin pages."""

import json
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Agency
from apps.geofences.models import Fence, FenceRevision
from tests.world import make_administrator, make_agency, make_instance, signed_in

pytestmark = pytest.mark.django_db
ADD = "/admin/geofences/fence/add/"


@pytest.fixture
def agency() -> Agency:
    make_instance()
    return make_agency()


@pytest.fixture
def client(agency: Agency) -> Client:
    return signed_in(make_administrator())


def form(agency: Agency, **facts: Any) -> dict[str, Any]:
    times = {"active_from_0": "2026-03-01", "active_from_1": "12:00:00", "active_to_0": "", "active_to_1": ""}
    return {"agency": agency.pk, "name": "Yard", "category": "depot", **times, **facts}


def test_the_pages_load_nothing_from_elsewhere(client: Client) -> None:
    page = client.get(ADD).content.decode()
    assert "Center longitude" in page
    assert "//" not in page.replace("http://localhost", "").split("<body", 1)[0]


def test_a_circle_is_made_changed_and_removed(client: Client, agency: Agency) -> None:
    assert client.post(ADD, form(agency, lon="-95.36", lat="29.76", radius_m="500")).status_code == 302
    fence = Fence.objects.get()
    assert (fence.shape, fence.radius_m, fence.rev) == ("circle", 500, 1)
    change = f"/admin/geofences/fence/{fence.pk}/change/"
    assert 'value="500.0"' in client.get(change).content.decode()
    assert client.post(change, form(agency, lon="-95.36", lat="29.76", radius_m="800")).status_code == 302
    fence.refresh_from_db()
    assert (fence.radius_m, fence.rev) == (800, 2)
    assert client.post(f"/admin/geofences/fence/{fence.pk}/delete/", {"post": "yes"}).status_code == 302
    fence.refresh_from_db()
    assert fence.removed_at is not None
    assert FenceRevision.objects.filter(fence=fence).count() == 3


def test_a_polygon_is_made_from_geojson_or_wkt(client: Client, agency: Agency) -> None:
    ring = [[-96, 29], [-95, 29], [-95, 30], [-96, 29]]
    for outline in (json.dumps({"type": "Polygon", "coordinates": [ring]}), "POLYGON((-96 29, -95 29, -95 30, -96 29))"):
        assert client.post(ADD, form(agency, outline=outline)).status_code == 302
    assert {fence.shape for fence in Fence.objects.all()} == {"polygon"}
    assert Fence.objects.count() == 2


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"lon": "1", "lat": "1"},
        {"lon": "1", "lat": "1", "radius_m": "5", "outline": "POLYGON((0 0, 1 0, 1 1, 0 0))"},
        {"outline": "not a shape"},
        {"outline": "POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))"},
        {"outline": '{"type": "Polygon"}'},
    ],
)
def test_a_wrong_form_is_shown_again_with_the_reason(client: Client, agency: Agency, facts: dict[str, str]) -> None:
    response = client.post(ADD, form(agency, **facts))
    assert response.status_code == 200
    assert "errornote" in response.content.decode()
    assert not Fence.objects.exists()
