"""View tokens: what opens a layer without a browser, and what ends that."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts import operations, tokens
from apps.accounts.models import Agency, Member, ViewToken
from apps.audit.models import Entry
from tests.world import NOON, make_agency, make_instance, make_member, make_source, say, signed_in

pytestmark = pytest.mark.django_db
OPENED = ("/api/layers/calls/tiles/0/0/0.mvt", "/api/layers/calls/tiles.json", "/api/layers/calls/style.json", "/api/layers/calls/features")
CLOSED = ("/api/layers/", "/api/boards/calls", "/api/schema/", "/accounts/tokens/", "/admin/", "/")
PAGE = "/accounts/tokens/"


@pytest.fixture
def agency() -> Agency:
    make_instance()
    return make_agency()


@pytest.fixture
def member(agency: Agency) -> Member:
    return make_member(agency)


def token_of(member: Member, *, days: float = 1, **facts: Any) -> str:
    at = timezone.now()
    return tokens.make(member=member, name="QGIS", expires_at=at + timedelta(days=days), at=at, **facts).text


def status(path: str, text: str) -> set[int]:
    """Return the statuses of both ways to send a token."""
    return {
        Client().get(path, headers={"Authorization": f"Bearer {text}"}).status_code,
        Client().get(path, {"token": text}).status_code,
    }


@pytest.mark.parametrize("path", OPENED)
def test_a_token_opens_tiles_and_features_in_either_way(member: Member, path: str) -> None:
    assert status(path, token_of(member)) == {200}


@pytest.mark.parametrize("path", CLOSED)
def test_a_token_opens_nothing_else(member: Member, path: str) -> None:
    text = token_of(member)
    response = Client().get(path, headers={"Authorization": f"Bearer {text}"})
    assert response.status_code in (302, 401, 403)


@pytest.mark.parametrize("path", OPENED)
def test_a_token_changes_nothing(member: Member, path: str) -> None:
    for method in ("post", "put", "patch", "delete"):
        assert getattr(Client(), method)(path, headers={"Authorization": f"Bearer {token_of(member)}"}).status_code == 405


def test_it_shows_what_its_member_may_see(member: Member, agency: Agency) -> None:
    say(make_source(agency), "OWN", at=NOON)
    say(make_source(make_agency("other"), "other-cad"), "SECRET", at=NOON)
    answer = Client().get("/api/layers/calls/features", {"token": token_of(member)}).content
    assert b"OWN" in answer
    assert b"SECRET" not in answer


def test_one_for_a_layer_shows_no_other(member: Member) -> None:
    text = token_of(member, layer="fences")
    assert status("/api/layers/fences/tiles/0/0/0.mvt", text) == {200}
    assert status("/api/layers/calls/tiles/0/0/0.mvt", text) == {404}
    assert status("/api/layers/calls/features", text) == {404}


@pytest.mark.parametrize("text", ["", "nonsense", "rtccv_", "rtccv_" + "A" * 43, "a\x00b", "é"])
def test_a_wrong_one_is_refused_even_beside_a_session(member: Member, text: str) -> None:
    for client in (Client(), signed_in(member)):
        response = client.get(OPENED[0], {"token": text})
        assert (response.status_code, response.json()["error"]) == (401, "not_authenticated")


@pytest.mark.parametrize("path", OPENED)
def test_one_of_an_inactive_member_is_dead_at_once(member: Member, path: str) -> None:
    text = token_of(member)
    Member.objects.filter(pk=member.pk).update(is_active=False)
    assert status(path, text) == {401}


def test_one_that_was_revoked_or_has_expired_is_dead(member: Member) -> None:
    short, revoked, living = token_of(member), token_of(member), token_of(member)
    ViewToken.objects.filter(digest=operations.digest_of(short)).update(expires_at=timezone.now())
    tokens.revoke(token=ViewToken.objects.get(digest=operations.digest_of(revoked)), at=timezone.now())
    assert [status(OPENED[0], text) for text in (short, revoked, living)] == [{401}, {401}, {200}]


def test_all_of_a_member_end_together_and_nobody_elses(member: Member, agency: Agency) -> None:
    other = make_member(agency, username="other")
    own, foreign = [token_of(member), token_of(member)], token_of(other)
    assert tokens.revoke_all(member, at=timezone.now()) == 2
    assert [status(OPENED[0], text) for text in (*own, foreign)] == [{401}, {401}, {200}]
    assert tokens.revoke_all(member, at=timezone.now()) == 0


def test_only_its_beginning_and_digest_are_stored(member: Member) -> None:
    text = token_of(member)
    row = ViewToken.objects.values().get()
    assert (row["prefix"], bytes(row["digest"])) == (text[:12], operations.digest_of(text))
    assert text not in str(row)
    assert len(text) - len("rtccv_") == 43, "256 bits in base 64"


@pytest.mark.parametrize("days", [0, -1, 367])
def test_one_lasts_at_most_a_year(member: Member, days: int) -> None:
    with pytest.raises(tokens.BadToken, match="366 days"):
        token_of(member, days=days)


def test_who_was_cut_off_while_the_page_was_under_way_gets_none(member: Member) -> None:
    Member.objects.update(is_active=False)
    with pytest.raises(tokens.BadToken, match="may not sign in"):
        token_of(member)


def test_a_member_has_no_more_than_twenty(member: Member) -> None:
    for _ in range(tokens.MOST_TOKENS):
        token_of(member)
    with pytest.raises(tokens.BadToken, match="revoke one first"):
        token_of(member)


def test_making_and_revoking_are_audited_without_the_token(member: Member) -> None:
    text = token_of(member, layer="calls")
    token = ViewToken.objects.get()
    tokens.revoke(token=token, at=timezone.now())
    tokens.revoke(token=token, at=timezone.now())
    entries = list(Entry.objects.order_by("pk"))
    assert [(entry.act, entry.target) for entry in entries[-2:]] == [
        ("view_token_made", f"view_token:{token.pk}"), ("view_token_revoked", f"view_token:{token.pk}"),
    ]  # fmt: skip
    assert text[6:] not in str([vars(entry) for entry in entries])


def test_the_page_makes_one_and_shows_it_once(member: Member) -> None:
    client = signed_in(member)
    page = client.post(PAGE, {"name": "QGIS", "layer": "calls", "lasts": "30"})
    text = page.context["made"].text
    assert text in page.content.decode()
    assert page["Cache-Control"].startswith("max-age=0")
    assert status("/api/layers/calls/tiles/0/0/0.mvt", text) == {200}
    again = client.get(PAGE).content.decode()
    assert text not in again
    assert text[:12] in again


WRONG = [{"name": ""}, {"name": "x", "lasts": "31"}, {"name": "x", "layer": "plates"}, {"name": "x" * 81}]


@pytest.mark.parametrize("said", WRONG)
def test_the_page_says_what_is_wrong(member: Member, said: dict[str, str]) -> None:
    page = signed_in(member).post(PAGE, {"lasts": "30", **said})
    assert page.status_code == 200
    assert 'class="error"' in page.content.decode()
    assert not ViewToken.objects.exists()


def test_the_page_revokes_ones_own_and_no_other(member: Member, agency: Agency) -> None:
    other = make_member(agency, username="other")
    foreign, own = token_of(other), token_of(member)
    client = signed_in(member)
    ids = [ViewToken.objects.get(digest=operations.digest_of(text)).pk for text in (own, foreign)]
    assert [client.post(f"{PAGE}{id}/revoke/").status_code for id in ids] == [302, 404]
    assert [status(OPENED[0], text) for text in (own, foreign)] == [{401}, {200}]
    assert "is revoked" in client.get(PAGE).content.decode()


def test_the_page_is_for_members() -> None:
    assert Client().get(PAGE).headers["Location"].startswith("/accounts/login/")
    assert Client().post(f"{PAGE}1/revoke/").status_code == 302
