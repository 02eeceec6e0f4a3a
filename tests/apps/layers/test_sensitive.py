"""Who reads where officers have been leaves a row before anything is answered; without the row there is no answer."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import Agency, Member
from apps.audit.models import Entry
from apps.layers.registry import catalog
from tests.world import NOON, make_agency, make_instance, make_member, make_source, make_track, move, signed_in

pytestmark = pytest.mark.django_db
PAST: dict[str, Any] = {"at": "2026-03-01T13:00:00Z", "bbox": "-96,29,-95,30"}


@pytest.fixture
def agency() -> Agency:
    make_instance()
    agency = make_agency()
    source = make_source(agency, slug="cars")
    for number in range(3):
        move(make_track(source, f"veh-{number}"), NOON, -95.36, 29.76)
    return agency


@pytest.fixture
def member(agency: Agency) -> Member:
    return make_member(agency)


@pytest.fixture
def client(member: Member) -> Client:
    return signed_in(member)


def read(client: Client, layer: str = "units", **query: Any) -> Any:
    return client.get(f"/api/layers/{layer}/features", query, REMOTE_ADDR="192.0.2.7")


def test_a_read_of_the_past_says_who_what_when_where_why_and_how_many(client: Client, member: Member, agency: Agency) -> None:
    answer = read(client, **PAST, why=" case 26-17 ")
    assert (answer.status_code, len(answer.json()["features"])) == (200, 3)
    entry = Entry.objects.get(act="layer_read")
    assert (entry.member_id, entry.address, entry.road, entry.target) == (member.pk, "192.0.2.7", "api", "layer:units")
    assert (entry.agency_id, entry.count, entry.reason) == (agency.pk, 3, "case 26-17")
    assert entry.detail == {"at": "2026-03-01T13:00:00+00:00", "bbox": [-96.0, 29.0, -95.0, 30.0]}


def test_what_is_live_or_no_secret_leaves_none(client: Client) -> None:
    assert read(client).status_code == 200
    for layer in ("calls", "fences", "boundaries"):
        assert read(client, layer, **PAST).status_code == 200
    assert client.get("/api/boards/calls", {"at": PAST["at"], "why": "x"}).status_code == 200
    assert not Entry.objects.filter(act="layer_read").exists()
    assert [layer.name for layer in catalog().values() if layer.sensitive != "never"] == ["units"]


def test_a_read_across_agencies_concerns_both(agency: Agency, member: Member) -> None:
    from apps.accounts import operations

    harbor = make_agency("harbor")
    operations.give_grant(role="dispatcher", holder=agency, layer="units", agency=harbor)
    assert read(signed_in(member), **PAST).status_code == 200
    entry = Entry.objects.get(act="layer_read")
    assert (entry.agency_id, entry.detail["agencies"]) == (None, [agency.pk, harbor.pk])


def test_an_agency_that_asks_why_answers_nobody_who_does_not_say(client: Client, agency: Agency) -> None:
    Agency.objects.update(why_required=True)
    answer = read(client, **PAST)
    assert (answer.status_code, answer.json()["error"]) == (400, "why_required")
    assert answer.json()["detail"] == 'Metro asks why "Units" is read: add why=, such as a case number'
    assert read(client, **PAST, why="case 17").status_code == 200
    assert read(client).status_code == 200


@pytest.mark.parametrize("why", ["", "   ", "x" * 301, "two\nlines"])
def test_a_reason_that_is_none_is_told(client: Client, why: str) -> None:
    answer = read(client, **PAST, why=why)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_parameter")


@pytest.mark.django_db(transaction=True)
def test_without_the_row_there_is_no_answer_and_the_rest_goes_on(client: Client) -> None:
    """The table is away, as after a restore gone wrong. (tests/apps/live/test_watched.py takes a role the right to add to it.)"""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry RENAME TO away")
    try:
        answer = read(client, **PAST)
        assert (answer.status_code, set(answer.json())) == (503, {"error", "detail"})
        assert answer.json()["error"] == "not_audited"
        assert read(client).status_code == 200
        assert read(client, "calls", **PAST).status_code == 200
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO audit_entry")
    assert read(client, **PAST).status_code == 200
