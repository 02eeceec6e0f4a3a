"""GET /api/layers/ and its features, as a browser asks."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Agency, Role
from apps.accounts.operations import give_grant
from apps.ingest.models import Source
from apps.layers.registry import names
from tests.world import NOON, make_agency, make_instance, make_member, make_source, make_track, minutes, move, say, signed_in

pytestmark = pytest.mark.django_db
CATALOG_QUERIES = 5  # session, member, epoch, rights, agencies
PAGE_QUERIES = 9  # session, member, epoch, rights; begin, enter, page, leave, end


@pytest.fixture
def agency() -> Agency:
    return make_agency()


@pytest.fixture
def cad(agency: Agency) -> Source:
    return make_source(agency)


@pytest.fixture
def client(agency: Agency) -> Client:
    return signed_in(make_member(agency))


def ask(client: Client, path: str, **query: Any) -> Any:
    response = client.get(f"/api/layers/{path}", query)
    assert response.status_code == 200, response.content
    return response.json()


def test_the_catalog(client: Client, agency: Agency) -> None:
    layers = ask(client, "")["layers"]
    assert [layer["name"] for layer in layers] == list(names()) == ["units", "calls", "fences", "boundaries"]
    assert layers[0] == {
        "name": "units",
        "title": "Units",
        "kind": "positions",
        "agencies": [{"id": agency.pk, "slug": "metro", "name": "Metro"}],
    }


def test_features_are_geojson(client: Client, cad: Source) -> None:
    call = say(cad, "H-1", at=NOON, place=(-95.36, 29.76))
    response = client.get("/api/layers/calls/features")
    assert response["Content-Type"] == "application/geo+json"
    body = response.json()
    assert body["type"] == "FeatureCollection"
    assert (body["next"], body["at"], body["known"]) == (None, None, None)
    (feature,) = body["features"]
    assert (feature["type"], feature["id"]) == ("Feature", call.pk)
    assert feature["geometry"] == {"type": "Point", "coordinates": [-95.36, 29.76]}


def test_pages_follow_each_other_without_gap_or_double(client: Client, cad: Source) -> None:
    made = [say(cad, f"H-{number}", at=NOON).pk for number in range(7)]
    got: list[int] = []
    cursor = {}
    for _ in range(4):
        body = ask(client, "calls/features", limit=2, **cursor)
        got += [feature["id"] for feature in body["features"]]
        cursor = {"cursor": body["next"]}
        if body["next"] is None:
            break
    assert got == made
    assert body["next"] is None


def test_a_page_that_is_just_full_is_the_last(client: Client, cad: Source) -> None:
    say(cad, "H-1", at=NOON)
    say(cad, "H-2", at=NOON)
    assert ask(client, "calls/features", limit=2)["next"] is None


def test_past_pages_follow_each_other(client: Client, cad: Source) -> None:
    made = [say(cad, f"H-{number}", at=NOON).pk for number in range(5)]
    query = {"at": "2026-03-01T12:30:00Z", "limit": 2}
    first = ask(client, "calls/features", **query)
    say(cad, "H-3", at=NOON + minutes(60), state="closed")
    second = ask(client, "calls/features", cursor=first["next"], **query)
    third = ask(client, "calls/features", cursor=second["next"], **query)
    assert [f["id"] for page in (first, second, third) for f in page["features"]] == made
    assert third["next"] is None


def test_the_answer_says_its_times(client: Client, cad: Source) -> None:
    make_instance()
    body = ask(client, "calls/features", at="2026-03-01T12:30:00Z", known="2026-03-01T13:00:00+00:00")
    assert body["at"] == "2026-03-01T12:30:00Z"
    assert body["known"] == "2026-03-01T13:00:00Z"


def test_a_known_in_the_future_is_answered_with_less(client: Client) -> None:
    make_instance()
    assert ask(client, "calls/features", known="2099-01-01T00:00:00Z")["known"] < "2099"


@pytest.mark.parametrize("query", ["bbox=1,2,3", "at=now", "limit=0", "cursor=x", "colour=red"])
def test_a_wrong_parameter_is_a_400_that_names_it(client: Client, query: str) -> None:
    response = client.get(f"/api/layers/calls/features?{query}")
    assert response.status_code == 400
    assert response.json()["error"] == "bad_parameter"
    assert response.json()["detail"].startswith(query.split("=")[0])


def test_who_is_not_signed_in_gets_401(agency: Agency) -> None:
    response = Client().get("/api/layers/")
    assert response.status_code == 401
    assert response.json()["error"] == "not_authenticated"
    assert Client().get("/api/layers/calls/features").status_code == 401


@pytest.mark.parametrize("path", ["plates/features", "calls/features?agency=other", "calls/features?agency=nowhere"])
def test_a_foreign_agency_or_layer_is_a_404(client: Client, path: str) -> None:
    say(make_source(make_agency("other"), "other-cad"), "X", at=NOON)
    response = client.get(f"/api/layers/{path}")
    assert response.status_code == 404
    assert response.json()["error"] in {"no_such_layer", "no_such_agency"}


def test_nothing_of_another_agency_is_in_any_layer(client: Client) -> None:
    other = make_agency("other")
    cad = make_source(other, "other-cad")
    say(cad, "SECRET-1", at=NOON)
    move(make_track(cad, "SECRET-2"), NOON, 1, 1)
    for name in names():
        for query in ({}, {"at": "2026-03-01T13:00:00Z"}):
            assert "SECRET" not in client.get(f"/api/layers/{name}/features", query).content.decode()
            assert ask(client, f"{name}/features", **query)["features"] == []


def test_a_grant_withdrawn_is_refused_at_once(client: Client, agency: Agency, cad: Source) -> None:
    assert client.get("/api/layers/calls/features").status_code == 200
    agency.held_grants.filter(layer="calls", role=Role.DISPATCHER).delete()
    assert client.get("/api/layers/calls/features").status_code == 404


def populate(cad: Source, count: int, start: int) -> None:
    for number in range(start, start + count):
        say(cad, f"H-{number}", at=NOON)
        move(make_track(cad, f"veh-{number}"), NOON, -95, 29)


@pytest.mark.parametrize("name", ["units", "calls", "fences", "boundaries"])
def test_the_number_of_queries_is_known_and_does_not_grow(client: Client, cad: Source, name: str) -> None:
    counts = []
    for count, start in ((2, 0), (18, 2)):
        populate(cad, count, start)
        with CaptureQueriesContext(connection) as seen:
            ask(client, f"{name}/features")
        counts.append(len(seen))
    assert counts == [PAGE_QUERIES] * 2


def test_the_catalogs_number_of_queries_does_not_grow_with_agencies(client: Client, agency: Agency) -> None:
    counts = []
    for names_made in (["a", "b"], [f"c{number}" for number in range(18)]):
        for slug in names_made:
            give_grant(role=Role.DISPATCHER, holder=agency, layer="calls", agency=make_agency(slug))
        with CaptureQueriesContext(connection) as seen:
            ask(client, "")
        counts.append(len(seen))
    assert counts == [CATALOG_QUERIES] * 2
