"""Call signs and their devices in the admin pages."""

import pytest
from django.test import Client

from apps.accounts.models import Agency
from apps.layers.models import LayerRevision
from apps.units.models import Assignment
from apps.units.operations import unit
from tests.world import make_administrator, make_agency, make_instance, make_source, make_track, signed_in

pytestmark = pytest.mark.django_db
ADD = "/admin/units/assignment/add/"


@pytest.fixture
def agency() -> Agency:
    make_instance()
    return make_agency()


@pytest.fixture
def client(agency: Agency) -> Client:
    return signed_in(make_administrator())


def test_an_assignment_begins_and_ends_by_operations(client: Client, agency: Agency) -> None:
    track = make_track(make_source(agency))
    facts = {"unit": unit(agency=agency, call_sign="4A12").pk, "track": track.pk, "vehicle": "Car 12", "shift": "", "beat": ""}
    assert client.post(ADD, facts).status_code == 302
    held = Assignment.objects.get()
    assert (held.vehicle, held.ends_at) == ("Car 12", None)
    act = {"action": "end_now", "_selected_action": [held.pk]}
    assert client.post("/admin/units/assignment/", act).status_code == 302
    held.refresh_from_db()
    assert held.ends_at is not None
    assert LayerRevision.objects.get(layer="units").rev == 2


def test_a_foreign_device_is_refused(client: Client, agency: Agency) -> None:
    foreign = make_track(make_source(make_agency("other"), "other-gps"))
    facts = {"unit": unit(agency=agency, call_sign="4A12").pk, "track": foreign.pk}
    response = client.post(ADD, facts)
    assert response.status_code == 200
    assert "another agency" in response.content.decode()
    assert not Assignment.objects.exists()


def test_history_is_neither_edited_nor_deleted(client: Client, agency: Agency) -> None:
    track = make_track(make_source(agency))
    client.post(ADD, {"unit": unit(agency=agency, call_sign="4A12").pk, "track": track.pk})
    held = Assignment.objects.get()
    assert client.post(f"/admin/units/assignment/{held.pk}/change/", {"vehicle": "x"}).status_code == 403
    assert client.post(f"/admin/units/assignment/{held.pk}/delete/", {"post": "yes"}).status_code == 403
