"""A tile's tag changes when the tile must, and stays when it may."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Agency, Member, Role
from apps.accounts.operations import give_grant
from apps.geofences.operations import Circle, make_fence
from apps.incidents.models import Call
from apps.ingest.models import Source
from tests.tiles import around, path_of
from tests.world import NOON, make_agency, make_member, make_source, make_track, minutes, move, next_rev, say, signed_in

pytestmark = pytest.mark.django_db
HERE, THERE, NEAR = (-95.36, 29.76), (-95.2, 29.9), (-95.355, 29.76)
ZOOMS = (0, 8, 9, 13, 14, 18)
WINDOW = {"from": "2026-02-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
SETTLED = {"at": "2026-03-01T12:30:00Z", "known": "2026-03-01T13:00:00Z"}


@pytest.fixture
def member(agency: Agency) -> Member:
    return make_member(agency)


@pytest.fixture
def client(member: Member) -> Client:
    return signed_in(member)


def path(place: tuple[float, float], zoom: int, layer: str = "calls") -> str:
    return path_of(layer, around(*place, zoom))


def tag(client: Client, address: str, query: Any = None) -> str:
    response = client.get(address, query or {})
    assert (response.status_code, response["Cache-Control"]) == (200, "private, no-cache")
    return str(response["ETag"])


def still(client: Client, address: str, known: str, query: Any = None) -> bool:
    response = client.get(address, query or {}, headers={"If-None-Match": known})
    assert response.status_code in (200, 304)
    assert response.status_code == 200 or response.content == b""
    return response.status_code == 304


def test_a_tile_that_did_not_change_is_answered_without_reading_it(client: Client, cad: Source) -> None:
    say(cad, "H-1", at=NOON, place=HERE)
    for zoom in ZOOMS:
        known = tag(client, path(HERE, zoom))
        with CaptureQueriesContext(connection) as seen:
            assert still(client, path(HERE, zoom), known)
        assert not any("ST_AsMVT" in query["sql"] or "incidents_call" in query["sql"] for query in seen)
        assert still(client, path(HERE, zoom), f'"other", W/{known}'), "compressed on its way, and one of several"


@pytest.mark.parametrize("query", [{}, WINDOW], ids=["now", "window"])
@pytest.mark.parametrize("zoom", ZOOMS)
def test_a_moved_call_changes_where_it_was_and_where_it_is(client: Client, cad: Source, zoom: int, query: Any) -> None:
    say(cad, "H-1", at=NOON, place=HERE)
    known = {place: tag(client, path(place, zoom), query) for place in (HERE, THERE)}
    say(cad, "H-1", at=NOON + minutes(1), place=THERE)
    assert [still(client, path(place, zoom), known[place], query) for place in known] == [False, False]


@pytest.mark.parametrize("facts", [{"state": "closed"}, {"type": "Fire"}, {"place": NEAR}, {"place": None}], ids=str)
def test_any_word_about_a_call_changes_its_tile(client: Client, cad: Source, facts: dict[str, Any]) -> None:
    say(cad, "H-1", at=NOON, place=HERE)
    known = tag(client, path(HERE, 14))
    say(cad, "H-1", at=NOON + minutes(1), **{"place": HERE, **facts})
    assert not still(client, path(HERE, 14), known)


def test_what_happens_elsewhere_changes_no_tile(client: Client, cad: Source) -> None:
    say(cad, "H-1", at=NOON, place=HERE)
    known = {zoom: tag(client, path(HERE, zoom)) for zoom in ZOOMS}
    say(cad, "H-2", at=NOON, place=THERE)
    say(cad, "H-3", at=NOON, place=None)
    changed = {zoom for zoom in ZOOMS if not still(client, path(HERE, zoom), known[zoom])}
    assert changed == {0, 8, 9}, "those that hold both places"


def test_a_revision_of_another_agency_is_not_taken_for_ones_own(client: Client, agency: Agency, cad: Source) -> None:
    """Each agency counts its own revisions: the lower one of two must show too."""
    other = make_agency("other")
    give_grant(role=Role.DISPATCHER, holder=agency, layer="calls", agency=other)
    foreign = make_source(other, "other-cad")
    for number in range(5):
        say(cad, f"H-{number}", at=NOON, place=HERE)
    say(foreign, "X-1", at=NOON, place=HERE)
    known = tag(client, path(HERE, 14))
    say(foreign, "X-1", at=NOON + minutes(1), place=HERE, state="closed")
    assert not still(client, path(HERE, 14), known)


def test_an_erased_call_changes_the_tiles_of_the_past_too(client: Client, cad: Source) -> None:
    call = say(cad, "H-1", at=NOON, place=HERE)
    known = [tag(client, path(HERE, 14), query) for query in ({}, SETTLED)]
    say(cad, "H-1", at=NOON + minutes(90), place=HERE, state="closed")
    assert still(client, path(HERE, 14), known[1], SETTLED), "what was recorded by then is what it was"
    call.revisions.all().delete()
    Call.objects.all().delete()
    assert [still(client, path(HERE, 14), *one) for one in zip(known, ({}, SETTLED), strict=True)] == [False, False]


@pytest.mark.parametrize("zoom", ZOOMS)
def test_an_erased_call_changes_the_past_of_where_it_had_been_before(client: Client, cad: Source, zoom: int) -> None:
    say(cad, "H-1", at=NOON, place=HERE)
    call = say(cad, "H-1", at=NOON + minutes(45), place=THERE, state="closed")
    known = tag(client, path(HERE, zoom), SETTLED)
    assert still(client, path(HERE, zoom), known, SETTLED)
    call.revisions.all().delete()
    call.delete()
    assert not still(client, path(HERE, zoom), known, SETTLED)


def test_a_call_that_comes_to_another_agency_is_news_there(client: Client, cad: Source, agency: Agency) -> None:
    call = say(make_source(make_agency("other"), "other-cad"), "O-1", at=NOON, place=HERE)
    known = tag(client, path(HERE, 14))
    Call.objects.filter(pk=call.pk).update(agency=agency, rev=next_rev("calls", agency))
    assert not still(client, path(HERE, 14), known)


def test_a_past_that_may_still_change_has_no_tag(client: Client, cad: Source) -> None:
    say(cad, "H-1", at=NOON, place=HERE)
    for query in ({"at": "2026-03-01T12:30:00Z"}, {"known": "2099-01-01T00:00:00Z"}):
        response = client.get(path(HERE, 14), query)
        assert ("ETag" in response, response["Cache-Control"]) == (False, "private, no-store")


def test_other_rights_are_another_tag(client: Client, agency: Agency, cad: Source) -> None:
    say(cad, "H-1", at=NOON, place=HERE)
    address = path(HERE, 14)
    known = tag(client, address)
    other = make_agency("other")
    assert not still(client, address, known), "the grants' epoch is another"
    known = tag(client, address)
    give_grant(role=Role.DISPATCHER, holder=agency, layer="calls", agency=other)
    assert not still(client, address, known)
    known = tag(client, address)
    agency.held_grants.filter(layer="calls").delete()
    assert client.get(address, headers={"If-None-Match": known}).status_code == 404


def test_a_tag_opens_nothing_to_who_may_not_sign_in(client: Client, member: Member, cad: Source) -> None:
    say(cad, "H-1", at=NOON, place=HERE)
    known = tag(client, path(HERE, 14))
    Member.objects.filter(pk=member.pk).update(is_active=False)
    for one in (client, Client()):
        assert one.get(path(HERE, 14), headers={"If-None-Match": known}).status_code == 401
        assert one.get(path(HERE, 14), headers={"If-None-Match": "*"}).status_code == 401


def test_every_question_has_a_tag_of_its_own(client: Client, cad: Source) -> None:
    say(cad, "H-1", at=NOON, place=HERE)
    queries = [{}, WINDOW, {**WINDOW, "to": "2026-04-02T00:00:00Z"}, {"rank": "1"}, {"rank": "2"}, {"state": "waiting"}, SETTLED]
    tags = [tag(client, path(HERE, 14), query) for query in queries] + [tag(client, path(HERE, 13)), tag(client, path(THERE, 14))]
    assert len(set(tags)) == len(tags)
    assert tag(client, path(HERE, 14), {"agency": "metro"}) != "", "an agency by name is a question of its own"


def test_a_new_form_is_a_new_tag(client: Client, cad: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    known = tag(client, path(HERE, 14))
    monkeypatch.setattr("apps.layers.tile_tags.FORM", 2)
    assert not still(client, path(HERE, 14), known)


def test_other_layers_change_as_a_whole(client: Client, agency: Agency, cad: Source) -> None:
    track = make_track(cad)
    move(track, NOON, *HERE)
    known = {layer: tag(client, path(HERE, 14, layer)) for layer in ("units", "fences", "boundaries")}
    assert all(still(client, path(HERE, 14, layer), known[layer]) for layer in known)
    move(track, NOON + minutes(1), *THERE)
    make_fence(agency=agency, name="School", area=Circle(*HERE, 100), at=NOON)
    assert [still(client, path(HERE, 14, layer), known[layer]) for layer in known] == [False, False, True]


def test_a_tag_survives_compression(client: Client, cad: Source) -> None:
    for number in range(40):
        say(cad, f"H-{number}", at=NOON, place=HERE)
    packed = client.get(path(HERE, 14), headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert still(client, path(HERE, 14), packed["ETag"])
