"""Sealed accounts: opened once, told to all who administer, over with their session or after 12 hours."""

import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from apps.accounts import break_glass, tokens
from apps.accounts.models import InstanceKind, Member, MemberSession, SignInAttempts, ViewToken
from apps.accounts.sign_in import SignIn
from apps.accounts.viewer import viewer_of
from apps.audit.acting import Acting, acting_as
from apps.audit.models import Entry
from tests.apps.accounts.steps import acts, give_password, is_signed_in
from tests.world import PASSWORD, give_app, make_agency, make_instance, make_member, signed_in

pytestmark = pytest.mark.django_db
NOON = 1_790_000_010
NAME = break_glass.NAMES[0]


def seal() -> dict[str, str]:
    out = io.StringIO()
    call_command("seal_break_glass", stdout=out)
    return dict(line.split() for line in out.getvalue().splitlines())  # type: ignore[misc]


def test_two_long_phrases_are_told_once_and_both_see_everything() -> None:
    make_instance(InstanceKind.OPERATIONAL)
    agency = make_agency()
    sealed = seal()
    assert set(sealed) == set(break_glass.NAMES)
    assert all(len(phrase.replace("-", "")) == 40 for phrase in sealed.values())
    assert len(set(sealed.values()) | set(seal().values())) == 4, "each sealing makes new ones"
    member = Member.objects.get(username=NAME)
    assert viewer_of(member.pk).agencies("calls") == [agency.pk]


def test_it_opens_without_a_second_factor_and_all_who_administer_are_told() -> None:
    make_instance(InstanceKind.OPERATIONAL)
    phrase = seal()[NAME]
    client = Client(REMOTE_ADDR="10.9.9.9")
    assert give_password(client, NAME, phrase) == "/"
    assert client.get("/admin/").status_code == 200
    opened = Entry.objects.get(act="break_glass_opened")
    assert (opened.member_name, opened.address) == (NAME, "10.9.9.9")
    boss = make_member(username="boss")
    Member.objects.filter(pk=boss.pk).update(is_staff=True, is_superuser=True)
    theirs = signed_in(boss)
    assert f"{NAME} was opened on" in theirs.get("/admin/").content.decode()
    assert theirs.get("/accounts/session/").json()["notices"][0].startswith(f"{NAME} was opened on")
    assert signed_in(make_member(username="plain")).get("/accounts/session/").json()["notices"] == []
    seal()
    assert f"{NAME} was opened" not in theirs.get("/admin/").content.decode()
    assert client.get("/api/layers/").status_code == 401, "sealing ends what was open"


def test_its_phrase_dies_with_its_session() -> None:
    phrase = seal()[NAME]
    client = Client()
    give_password(client, NAME, phrase)
    client.post("/accounts/logout/")
    assert [acts()[-1], "sign_out" in acts()] == ["break_glass_ended", True]
    assert "must be sealed again" in give_password(Client(), NAME, phrase)
    assert not Member.objects.get(username=NAME).has_usable_password()


def test_no_other_spelling_and_no_other_way_opens_it_again() -> None:
    phrase = seal()[NAME]
    client = Client()
    give_password(client, NAME.upper(), phrase)
    assert is_signed_in(client), "names are compared without regard to case"
    client.post("/accounts/logout/")
    member = Member.objects.get(username=NAME)
    member.set_password(phrase)
    member.save()
    for name in (NAME, NAME.upper()):
        assert "must be sealed again" in give_password(Client(), name, phrase)
    request = RequestFactory().get("/")
    request.session, request.user = Client().session, AnonymousUser()  # type: ignore[assignment]
    with acting_as(Acting):
        SessionMiddleware(lambda _: HttpResponse())(request)
        MessageMiddleware(lambda _: HttpResponse())(request)
        hints = {"email_verification": "none", "signal_kwargs": None, "email": None, "signup": False, "redirect_url": None}
        refused = SignIn().pre_login(request, member, **hints)
    assert refused is not None
    assert refused["Location"] == "/accounts/login/", "a passkey that was added meanwhile"


def test_its_phrase_dies_after_twelve_hours() -> None:
    phrase = seal()[NAME]
    with time_machine.travel(NOON, tick=False) as clock:
        first, crashed, late = Client(), Client(), Client()
        assert give_password(first, NAME, phrase) == "/"
        clock.shift(11 * 3600)
        assert give_password(crashed, NAME, phrase) == "/", "a browser that crashed"
        clock.shift(3601)
        assert "must be sealed again" in give_password(late, NAME, phrase)
        assert first.get("/api/layers/").status_code == 401


def test_a_second_sign_in_has_what_is_left_of_the_twelve_hours() -> None:
    phrase = seal()[NAME]
    with time_machine.travel(NOON, tick=False) as clock:
        give_password(Client(), NAME, phrase)
        clock.shift(12 * 3600 - 60)
        second = Client()
        assert give_password(second, NAME, phrase) == "/"
        ends = MemberSession.objects.filter(member__username=NAME).values_list("expire_date", flat=True)
        assert set(ends) == {datetime.fromtimestamp(NOON, UTC) + timedelta(hours=12)}
        clock.shift(61)
        assert second.get("/api/layers/").status_code == 401


@pytest.mark.parametrize("over", ["sealed", "signed out"])
def test_nothing_that_the_opener_made_goes_on(over: str) -> None:
    phrase = seal()[NAME]
    client, other, member = Client(), Client(), Member.objects.get(username=NAME)
    give_password(client, NAME, phrase)
    give_password(other, NAME, phrase)
    later = timezone.now() + timedelta(days=300)
    ViewToken.objects.create(member=member, name="x", prefix="x", digest=b"x", created_at=timezone.now(), expires_at=later)
    SocialAccount.objects.create(user=member, provider="city", uid="their own")
    give_app(member)
    if over == "sealed":
        seal()
    else:
        client.post("/accounts/logout/")
    assert not tokens.living(member=member, at=timezone.now()).exists()
    assert not SocialAccount.objects.exists()
    assert not Authenticator.objects.exists()
    assert [one.get("/api/layers/").status_code for one in (client, other)] == [401, 401]


def test_it_makes_no_token() -> None:
    phrase = seal()[NAME]
    client = Client()
    give_password(client, NAME, phrase)
    page = client.post("/accounts/tokens/", {"name": "QGIS", "lasts": "365"})
    assert "a sealed account has no tokens" in page.content.decode()
    assert not ViewToken.objects.exists()


def test_no_guessing_locks_it_but_the_address_is_slowed() -> None:
    phrase = seal()[NAME]
    for number in range(12):
        give_password(Client(REMOTE_ADDR=f"10.0.0.{number}"), NAME, "wrong")
    assert not SignInAttempts.objects.exists()
    for _ in range(5):
        answer = give_password(Client(REMOTE_ADDR="10.0.1.1"), NAME, "wrong")
    assert "Too many attempts" in answer
    cache.clear()
    client = Client(REMOTE_ADDR="10.0.1.1")
    assert give_password(client, NAME, phrase) == "/"
    assert is_signed_in(client)


def test_a_member_of_that_name_is_not_taken_over() -> None:
    make_member(username=NAME)
    with pytest.raises(CommandError, match="rename"):
        call_command("seal_break_glass", stdout=io.StringIO())
    assert Member.objects.get(username=NAME).check_password(PASSWORD)
