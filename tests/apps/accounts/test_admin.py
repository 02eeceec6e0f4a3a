"""The admin pages of members, agencies, grants and keys."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Agency, ApiKey, Grant, Role
from apps.accounts.operations import make_administrator, make_key
from apps.accounts.viewer import grant_epoch, viewer_of
from tests.world import PASSWORD, make_agency, make_member, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return signed_in(make_administrator(username="root", password=PASSWORD))


@pytest.mark.parametrize(
    "path",
    [
        "accounts/member/", "accounts/apikey/", "accounts/agency/", "accounts/agency/add/", "accounts/grant/", "accounts/grant/add/",
        "boundaries/boundary/", "units/unit/", "units/assignment/", "units/assignment/add/", "geofences/fence/",
    ],
)  # fmt: skip
def test_every_page_opens(client: Client, path: str) -> None:
    assert client.get(f"/admin/{path}").status_code == 200


def test_a_new_agency_gets_its_codes_and_grants(client: Client) -> None:
    facts = {"slug": "metro", "name": "Metro", "time_zone": "America/Chicago", "length_unit": "ft", "distance_unit": "mi"}
    response = client.post("/admin/accounts/agency/add/", {**facts, "speed_unit": "mph", "shifts": "[]"})
    assert response.status_code == 302
    agency = Agency.objects.get()
    assert agency.status_codes.count() == 9
    assert viewer_of(make_member(agency).pk).agencies("calls") == [agency.pk]
    assert viewer_of(int(client.session["_auth_user_id"])).agencies("calls") == [agency.pk]


def test_a_grant_names_a_layer_of_the_catalog(client: Client) -> None:
    agency = make_agency()
    facts = {"role": Role.PARTNER, "holder": agency.pk, "action": "view", "agency": agency.pk}
    before = grant_epoch()
    assert client.post("/admin/accounts/grant/add/", {**facts, "layer": "plates"}).status_code == 200
    assert client.post("/admin/accounts/grant/add/", {**facts, "layer": "calls"}).status_code == 302
    assert Grant.objects.filter(role=Role.PARTNER).count() == 1
    assert grant_epoch() > before


def test_keys_are_revoked_but_never_shown_or_made(client: Client) -> None:
    made = make_key(agency=make_agency())
    page = client.get("/admin/accounts/apikey/")
    assert made.text not in page.content.decode()
    assert client.get("/admin/accounts/apikey/add/").status_code == 403
    act: dict[str, Any] = {"action": "revoke", "_selected_action": [made.key.pk]}
    assert client.post("/admin/accounts/apikey/", act).status_code == 302
    assert ApiKey.objects.get().revoked_at is not None
