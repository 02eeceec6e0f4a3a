"""The board of calls: order, counts, and past times."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Agency, Role
from apps.accounts.operations import withdraw_grant
from apps.ingest.models import Source
from tests.world import NOON, make_agency, make_instance, make_member, make_source, minutes, say, signed_in

pytestmark = pytest.mark.django_db
QUERIES = 9  # session, member, epoch, rights; begin, enter, calls, leave, end


@pytest.fixture
def agency() -> Agency:
    return make_agency()


@pytest.fixture
def cad(agency: Agency) -> Source:
    return make_source(agency)


@pytest.fixture
def client(agency: Agency) -> Client:
    return signed_in(make_member(agency))


def board(client: Client, **query: str) -> Any:
    response = client.get("/api/boards/calls", query)
    assert response.status_code == 200, response.content
    return response.json()


def numbers(client: Client, **query: str) -> list[str]:
    return [call["properties"]["number"] for call in board(client, **query)["calls"]]


def test_unlocated_come_first_then_waiting_then_active_by_rank_then_age(client: Client, cad: Source) -> None:
    say(cad, "active", at=NOON, state="active", rank=0)
    say(cad, "young", at=NOON + minutes(2), rank=2)
    say(cad, "old", at=NOON, rank=2)
    say(cad, "urgent", at=NOON + minutes(3), rank=0)
    say(cad, "lost", at=NOON + minutes(4), rank=4, place=None)
    say(cad, "lost and active", at=NOON, rank=0, state="active", place=None)
    say(cad, "closed", at=NOON, state="closed")
    assert numbers(client) == ["lost", "lost and active", "urgent", "old", "young", "active"]


def test_it_counts(client: Client, cad: Source) -> None:
    say(cad, "a", at=NOON, place=None)
    say(cad, "b", at=NOON)
    say(cad, "c", at=NOON, state="active")
    assert board(client)["counts"] == {"unlocated": 1, "waiting": 2, "active": 1}


def test_the_past_is_a_query(client: Client, cad: Source) -> None:
    make_instance()
    say(cad, "a", at=NOON)
    say(cad, "a", at=NOON + minutes(5), recorded_at=NOON + minutes(9), state="closed")
    assert numbers(client) == []
    assert numbers(client, at="2026-03-01T12:04:00Z") == ["a"]
    assert numbers(client, at="2026-03-01T12:06:00Z", known="2026-03-01T12:08:00Z") == ["a"]
    answer = board(client, at="2026-03-01T12:06:00Z", known="2026-03-01T12:09:00Z")
    assert (answer["calls"], answer["at"], answer["known"]) == ([], "2026-03-01T12:06:00Z", "2026-03-01T12:09:00Z")


def test_a_known_in_the_future_is_answered_with_less(client: Client) -> None:
    make_instance()
    assert board(client, known="2099-01-01T00:00:00Z")["known"] < "2099"


def test_it_shows_nothing_of_another_agency(client: Client, agency: Agency) -> None:
    say(make_source(make_agency("other"), "other-cad"), "X", at=NOON)
    assert numbers(client) == []
    for grant in agency.held_grants.filter(layer="calls", role=Role.DISPATCHER):
        withdraw_grant(grant=grant)
    assert numbers(client) == []


def test_a_wrong_time_is_named(client: Client) -> None:
    response = client.get("/api/boards/calls", {"at": "noon"})
    assert response.status_code == 400
    assert response.json()["detail"].startswith('at is "noon"')


def test_who_is_not_signed_in_gets_401(agency: Agency) -> None:
    assert Client().get("/api/boards/calls").status_code == 401


def test_the_number_of_queries_is_known_and_does_not_grow(client: Client, cad: Source) -> None:
    counts = []
    for numbers_made in (range(2), range(2, 20)):
        for number in numbers_made:
            say(cad, f"H-{number}", at=NOON)
        with CaptureQueriesContext(connection) as seen:
            board(client)
        counts.append(len(seen))
    assert counts == [QUERIES, QUERIES]
