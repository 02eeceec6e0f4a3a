"""Every write on the admin pages leaves its row: who changed which field of what, and never a secret."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from apps.accounts.models import Agency, Grant, Member, Role
from apps.audit.models import Entry
from apps.audit.site import Audited
from apps.ingest.models import Source
from tests.world import make_administrator, make_agency, make_instance, make_member, make_source, signed_in

pytestmark = pytest.mark.django_db
BY_OPERATIONS = {"AssignmentAdmin", "FenceAdmin"}
FENCE = {
    "name": "Depot", "category": "", "active_from_0": "2026-03-01", "active_from_1": "12:00:00", "lon": "-95.36", "lat": "29.76",
    "radius_m": "100",
}  # fmt: skip


@pytest.fixture
def root() -> Member:
    make_instance()
    return make_administrator()


@pytest.fixture
def client(root: Member) -> Client:
    return signed_in(root)


def newest(act: str) -> Entry:
    return Entry.objects.filter(act=act).latest("id")


def test_no_admin_page_is_without_audit() -> None:
    pages = {type(page).__name__: page for page in admin.site._registry.values()}
    assert [name for name, page in pages.items() if not isinstance(page, Audited)] == []
    assert {name for name, page in pages.items() if page.audited_by_operations} == BY_OPERATIONS  # type: ignore[attr-defined]


def test_a_change_is_told_with_its_old_and_new_values(client: Client, root: Member) -> None:
    source = make_source(make_agency(), slug="cad")
    settings = '{"url": "https://dana:hunter2@example.com/feed?token=abc", "token": "abc"}'
    facts = {"slug": "cad", "name": "CAD 2", "adapter": "fixes", "settings": settings, "interval_s": "10", "observations_per_s": "10"}
    assert client.post(f"/admin/ingest/source/{source.pk}/change/", facts, REMOTE_ADDR="192.0.2.7").status_code == 302
    entry = newest("source_changed")
    assert (entry.member_id, entry.member_name, entry.road, entry.address) == (root.pk, "root", "page", "192.0.2.7")
    assert (entry.target, entry.agency_id) == (f"source:{source.pk}", source.agency_id)
    assert entry.detail["fields"]["name"] == ["cad", "CAD 2"]
    assert entry.detail["fields"]["enabled"] == [True, False]
    assert "abc" not in str(entry.detail)
    assert "hunter2" not in str(entry.detail)
    assert "https://example.com/feed" in str(entry.detail)


def test_a_password_is_never_told(client: Client) -> None:
    member = make_member()
    page = f"/admin/accounts/member/{member.pk}/password/"
    new = {"password1": "another long pass phrase", "password2": "another long pass phrase", "usable_password": "true"}
    assert client.post(page, new).status_code == 302
    entry = newest("member_changed")
    assert entry.target == f"member:{member.pk}"
    assert "another long" not in str(entry.detail)
    assert set(entry.detail["fields"]) == {"password"}


def test_a_role_given_beside_a_member_names_the_agency(client: Client) -> None:
    agency, member = make_agency(), make_member()
    ships = {"TOTAL_FORMS": "1", "INITIAL_FORMS": "0", "0-agency": agency.pk, "0-role": "officer"}
    facts = {"username": "dana", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00", "is_active": "on"}
    facts |= {f"memberships-{name}": value for name, value in ships.items()}
    assert client.post(f"/admin/accounts/member/{member.pk}/change/", facts).status_code == 302
    entry = newest("member_changed")
    assert entry.agency_id == agency.pk
    [row] = entry.detail["with"]
    assert (row["what"], row["was"], row["fields"]["role"], row["fields"]["agency"]) == ("membership", "made", "officer", "Metro")


def test_grants_are_given_and_withdrawn_by_name(client: Client) -> None:
    metro, harbor = make_agency(), make_agency("harbor")
    facts: dict[str, Any] = {"role": Role.PARTNER, "holder": metro.pk, "action": "view", "agency": harbor.pk, "layer": "calls"}
    client.post("/admin/accounts/grant/add/", facts)
    grant = Grant.objects.get(role=Role.PARTNER)
    client.post(f"/admin/accounts/grant/{grant.pk}/delete/", {"post": "yes"})
    for act in ("grant_given", "grant_withdrawn"):
        entry = newest(act)
        assert {"role": "partner", "holder": "Metro", "layer": "calls", "of": "Harbor"}.items() <= entry.detail.items()
        assert entry.detail["agencies"] == sorted([metro.pk, harbor.pk])


def test_what_several_rows_are_deleted_by_is_told_one_by_one(client: Client) -> None:
    agency = make_agency()
    chosen = [make_source(agency, slug=slug).pk for slug in ("a", "b")]
    act = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert client.post("/admin/ingest/source/", act).status_code == 302
    assert not Source.objects.exists()
    assert sorted(Entry.objects.filter(act="source_removed").values_list("target", flat=True)) == sorted(f"source:{pk}" for pk in chosen)


def test_what_operations_write_is_written_once(client: Client) -> None:
    agency = make_agency()
    assert client.post("/admin/geofences/fence/add/", {**FENCE, "agency": agency.pk}).status_code == 302
    [entry] = Entry.objects.filter(target__startswith="fence:")
    assert (entry.act, entry.detail["name"], entry.agency_id) == ("fence_made", "Depot", agency.pk)
    number = entry.target.partition(":")[2]
    client.post(f"/admin/geofences/fence/{number}/change/", {**FENCE, "name": "Depot 2", "radius_m": "200"})
    assert newest("fence_changed").detail["fields"]["name"] == ["Depot", "Depot 2"]
    client.post(f"/admin/geofences/fence/{number}/delete/", {"post": "yes"})
    assert newest("fence_removed").detail["name"] == "Depot 2"


def test_a_page_that_is_refused_leaves_no_change_and_no_row(client: Client) -> None:
    before = Entry.objects.filter(act="agency_made").count()
    assert client.post("/admin/accounts/agency/add/", {"slug": "metro"}).status_code == 200
    assert (Agency.objects.count(), Entry.objects.filter(act="agency_made").count()) == (0, before)
