"""Sign-in by an identity provider: groups become roles and go, and nothing is called that nobody entered."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.utils import timezone

from apps.accounts import lock_out, operations, vault
from apps.accounts.models import Agency, GroupRole, InstanceKind, Issuer, Member, Role
from apps.accounts.sessions import CONFIRMED
from apps.accounts.viewer import viewer_of
from apps.audit.models import Entry
from tests.apps.accounts.issuer_server import CLIENT, FORGED, SECRET, Provider, provider_server
from tests.apps.accounts.steps import SECOND, acts, is_signed_in
from tests.world import PASSWORD, give_app, make_agency, make_instance, make_member, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Iterator[Provider]:
    with provider_server() as running:
        yield running


@pytest.fixture
def agency() -> Agency:
    make_instance(InstanceKind.OPERATIONAL)
    return make_agency()


@pytest.fixture
def issuer(provider: Provider, agency: Agency) -> Issuer:
    """As an administrator entered it, in the agency's own network."""
    issuer = Issuer.objects.create(
        slug="city", name="City of Metro", server_url=provider.url, client_id=CLIENT, secret=vault.encrypt(SECRET), allow_private=True
    )
    GroupRole.objects.create(issuer=issuer, group="dispatch", agency=agency, role=Role.DISPATCHER)
    GroupRole.objects.create(issuer=issuer, group="chiefs", agency=agency, role=Role.COMMAND)
    return issuer


def sign_in_at(provider: Provider, client: Client | None = None) -> tuple[Client, str, int]:
    """Go to the provider and come back; return the browser, where it is led, and the last status."""
    client = client or Client()
    there = client.post("/accounts/sso/city/")
    if there.status_code != 302:
        return client, there.content.decode(), there.status_code
    back = client.get("/accounts/sso/city/back/" + provider.authorize(there.headers["Location"]))
    return client, back.headers.get("Location", back.content.decode()), back.status_code


def roles(name: str = "dana") -> set[str]:
    return set(Member.objects.get(username=name).memberships.values_list("role", flat=True))


def test_a_group_becomes_a_role_and_goes_with_it(provider: Provider, issuer: Issuer, agency: Agency) -> None:
    client, led, _ = sign_in_at(provider)
    assert led == "/"
    assert is_signed_in(client)
    assert roles() == {"dispatcher"}
    member = Member.objects.get(username="dana")
    assert (member.has_usable_password(), member.is_staff, member.get_full_name()) == (False, False, "Dana Reyes")
    assert Entry.objects.get(act="sign_in").detail == {"how": "single sign-on"}
    operations.join(member=member, agency=agency, role=Role.ANALYST)
    provider.claims["groups"] = ["chiefs"]
    sign_in_at(provider)
    assert roles() == {"command", "analyst"}, "what people gave stays"
    provider.claims["groups"] = []
    assert sign_in_at(provider)[1] == "/"
    assert roles() == {"analyst"}
    assert acts().count("membership_ended") == 2
    assert Member.objects.count() == 1


def test_who_is_in_no_group_that_has_a_role_does_not_come_in(provider: Provider, issuer: Issuer) -> None:
    provider.claims["groups"] = ["sanitation"]
    client, _, status = sign_in_at(provider)
    assert (status, is_signed_in(client), Member.objects.count()) == (403, False, 0)
    assert Entry.objects.get(act="sign_in_refused").reason == "no group has a role"


def test_who_lost_all_groups_does_not_come_in(provider: Provider, issuer: Issuer) -> None:
    sign_in_at(provider)
    provider.claims["groups"] = []
    client, _, status = sign_in_at(provider)
    assert (status, is_signed_in(client), roles()) == (403, False, set())


def test_its_second_factor_counts_only_where_an_administrator_said_so(provider: Provider, issuer: Issuer, agency: Agency) -> None:
    client, *_ = sign_in_at(provider)
    member = Member.objects.get(username="dana")
    assert viewer_of(member.pk).rights == frozenset()
    assert client.get("/").headers["Location"] == "/accounts/2fa/"
    issuer.enforces_second_factor = True
    issuer.save()
    assert viewer_of(member.pk).agencies("calls") == [agency.pk]
    member.set_password(PASSWORD)
    member.save()
    assert viewer_of(member.pk).rights == frozenset(), "a password would be a way in without it"


def test_our_own_second_factor_is_asked_for_where_theirs_does_not_count(provider: Provider, issuer: Issuer) -> None:
    sign_in_at(provider)
    give_app(Member.objects.get(username="dana"))
    client, led, _ = sign_in_at(provider)
    assert (led, is_signed_in(client)) == (SECOND, False)
    Issuer.objects.update(enforces_second_factor=True)
    client, led, _ = sign_in_at(provider)
    assert (led, is_signed_in(client)) == ("/", True)


def test_a_name_that_somebody_has_is_not_taken_over(provider: Provider, issuer: Issuer) -> None:
    own = make_member()
    sign_in_at(provider)
    assert not own.memberships.exists()
    other = Member.objects.exclude(pk=own.pk).get()
    assert other.username != "dana"
    assert roles(other.username) == {"dispatcher"}


def test_a_member_who_was_cut_off_does_not_come_back_by_it(provider: Provider, issuer: Issuer) -> None:
    sign_in_at(provider)
    Member.objects.update(is_active=False)
    client, led, _ = sign_in_at(provider)
    assert (led, is_signed_in(client)) == ("/accounts/inactive/", False)


def test_a_locked_name_does_not_come_in_by_it(provider: Provider, issuer: Issuer) -> None:
    sign_in_at(provider)
    for _ in range(6):
        lock_out.begin_attempt("dana", at=timezone.now())
    client, led, _ = sign_in_at(provider)
    assert (led, is_signed_in(client)) == ("/accounts/login/", False)


def test_who_comes_by_it_alone_proves_it_there_again(provider: Provider, issuer: Issuer) -> None:
    Issuer.objects.update(enforces_second_factor=True)
    client, *_ = sign_in_at(provider)
    Member.objects.update(is_staff=True, is_superuser=True)
    session = client.session
    session[CONFIRMED] = 0
    session.save()
    asked = client.get("/admin/")
    assert asked.headers["Location"] == "/accounts/sso/city/?next=%2Fadmin%2F"
    assert b"Continue" in client.get(asked.headers["Location"]).content
    there = client.post(asked.headers["Location"])
    back = client.get("/accounts/sso/city/back/" + provider.authorize(there.headers["Location"]))
    assert back.headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("process", ["connect", "redirect"])
def test_nobody_adds_a_way_in_to_their_account(provider: Provider, issuer: Issuer, process: str) -> None:
    client = signed_in(make_member())
    there = client.post(f"/accounts/sso/city/?process={process}")
    back = client.get("/accounts/sso/city/back/" + provider.authorize(there.headers["Location"]))
    assert back.status_code == 403
    assert not SocialAccount.objects.exists()
    assert Entry.objects.get(act="sign_in_refused").reason == "an account is not connected to another"


def test_a_way_in_that_comes_or_goes_is_written_down(provider: Provider, issuer: Issuer) -> None:
    sign_in_at(provider)
    sign_in_at(provider)
    member = Member.objects.get(username="dana")
    SocialAccount.objects.get().delete()
    rows = Entry.objects.filter(act__startswith="single_sign_on").order_by("pk")
    assert [(row.act, row.target, row.detail) for row in rows] == [
        (act, f"member:{member.pk}", {"issuer": "city"}) for act in ("single_sign_on_added", "single_sign_on_removed")
    ]


def test_a_token_that_it_did_not_sign_is_refused(provider: Provider, issuer: Issuer) -> None:
    provider.key = FORGED
    client, said, _ = sign_in_at(provider)
    assert "did not work" in said
    assert not is_signed_in(client)
    assert not Member.objects.exists()


@pytest.mark.parametrize("claims", [{"aud": "somebody else"}, {"iss": "http://elsewhere.test"}, {"exp": 1}])
def test_a_token_for_others_or_from_others_is_refused(provider: Provider, issuer: Issuer, claims: dict[str, object]) -> None:
    provider.claims |= claims
    client, said, _ = sign_in_at(provider)
    assert "did not work" in said
    assert not is_signed_in(client)


def test_it_is_called_only_where_an_administrator_said(provider: Provider, issuer: Issuer) -> None:
    with provider_server() as canary:
        provider.config = {"token_endpoint": f"http://127.0.0.1:{canary.port}/token"}
        client, said, _ = sign_in_at(provider)
        assert "did not work" in said
        assert canary.calls == []
    assert not is_signed_in(client)


def test_a_private_address_needs_to_be_allowed(provider: Provider, issuer: Issuer) -> None:
    Issuer.objects.update(allow_private=False)
    _, said, _ = sign_in_at(provider)
    assert "did not work" in said
    assert provider.calls == []
    assert "private address" in Issuer.objects.get().last_result or "not in the list" in Issuer.objects.get().last_result


@pytest.mark.parametrize("config", [{"token_endpoint": None}, {"jwks_uri": 7}, {"authorization_endpoint": []}])
def test_a_description_that_lacks_something_is_told_and_breaks_nothing(
    provider: Provider, issuer: Issuer, config: dict[str, object]
) -> None:
    provider.config = config
    _, said, status = sign_in_at(provider)
    assert "did not work" in said
    assert status == 502


def test_an_answer_of_somebody_elses_sign_in_is_refused(provider: Provider, issuer: Issuer) -> None:
    there = Client().post("/accounts/sso/city/")
    victim = Client()
    victim.get("/accounts/sso/city/back/" + provider.authorize(there.headers["Location"]))
    assert not is_signed_in(victim)


def test_an_issuer_that_is_switched_off_or_unknown_is_not_there(provider: Provider, issuer: Issuer) -> None:
    assert b"City of Metro" in Client().get("/accounts/login/").content
    Issuer.objects.update(is_active=False)
    assert b"City of Metro" not in Client().get("/accounts/login/").content
    assert [Client().post(f"/accounts/sso/{slug}/").status_code for slug in ("city", "other")] == [404, 404]


def test_one_whose_secret_cannot_be_read_closes_the_sign_in_for_nobody(provider: Provider, issuer: Issuer, settings: Any) -> None:
    other = Issuer.objects.create(slug="open", name="Open door", server_url=provider.url, client_id=CLIENT)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another secret key of this instance, long enough", []
    make_member(second_factor=False)
    client = Client()
    page = client.get("/accounts/login/").content.decode()
    assert (other.name in page, issuer.name in page) == (True, False)
    assert client.post("/accounts/login/", {"login": "dana", "password": PASSWORD}).headers["Location"] == "/"
    assert Client().post("/accounts/sso/city/").status_code == 404
    issuer.refresh_from_db()
    assert issuer.last_result == "its secret cannot be read with this instance's secret key; enter it again"
    issuer.secret = vault.encrypt(SECRET)
    issuer.save()
    assert issuer.name in Client().get("/accounts/login/").content.decode()


def test_an_administrator_enters_it_and_nobody_reads_the_secret(provider: Provider, agency: Agency) -> None:
    boss = operations.make_administrator(username="boss", password=PASSWORD)
    give_app(boss)
    client = signed_in(boss)
    facts = {
        "slug": "city", "name": "City", "server_url": provider.url, "client_id": CLIENT, "groups_claim": "groups", "is_active": "on",
        "new_secret": SECRET, "group_roles-TOTAL_FORMS": "1", "group_roles-INITIAL_FORMS": "0", "group_roles-0-group": "dispatch",
        "group_roles-0-agency": agency.pk, "group_roles-0-role": "dispatcher",
    }  # fmt: skip
    assert client.post("/admin/accounts/issuer/add/", facts).status_code == 302
    issuer = Issuer.objects.get()
    assert SECRET not in issuer.secret
    assert vault.decrypt(issuer.secret) == SECRET
    page = client.get(f"/admin/accounts/issuer/{issuer.pk}/change/").content.decode()
    assert SECRET not in page.replace("&#x27;", "'")
    assert issuer.secret not in page
    again = {**facts, "new_secret": "", "name": "City of Metro", "group_roles-INITIAL_FORMS": "0", "group_roles-TOTAL_FORMS": "0"}
    assert client.post(f"/admin/accounts/issuer/{issuer.pk}/change/", again).status_code == 302
    assert vault.decrypt(Issuer.objects.get().secret) == SECRET
    assert {"issuer_made", "issuer_changed"} <= set(acts())
