"""A member who is cut off: everything they have ends in one transaction, and what goes on is named."""

import io
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from apps.accounts import operations, tokens
from apps.accounts.cutting import cut_off
from apps.accounts.models import ApiKey, Member, MemberSession, ViewToken
from apps.accounts.sign_in import SignIn
from apps.accounts.viewer import grant_epoch, viewer_of
from apps.audit.models import Entry
from tests.apps.accounts.steps import LOGIN, is_signed_in
from tests.running import wait_until
from tests.world import PASSWORD, make_agency, make_member, signed_in

pytestmark = pytest.mark.django_db
ended: list[str] = []


def end_elsewhere(member: Member, *, at: Any) -> None:
    ended.append(member.username)


def end_badly(member: Member, *, at: Any) -> None:
    raise RuntimeError("it could not be ended")


def test_nothing_of_them_works_any_more(settings: Any) -> None:
    settings.ENDS_WITH_MEMBER = [*settings.ENDS_WITH_MEMBER, f"{__name__}.end_elsewhere"]
    member = make_member(make_agency())
    first, second = signed_in(member), signed_in(member)
    before = grant_epoch()
    cut_off(member=member, by=None, reason="left the agency", at=timezone.now())
    assert [client.get("/api/layers/").status_code for client in (first, second)] == [401, 401]
    assert not MemberSession.objects.filter(member=member).exists()
    assert viewer_of(member.pk).rights == frozenset()
    assert grant_epoch() > before
    first.post(LOGIN, {"login": "dana", "password": PASSWORD})
    assert not is_signed_in(first)
    assert ended == ["dana"]
    entry = Entry.objects.get(act="cut_off")
    assert (entry.target, entry.reason) == (f"member:{member.pk}", "left the agency")


@pytest.mark.parametrize("facts", [{"is_active": False}, {"password": "another"}])
def test_a_sign_in_that_is_under_way_does_not_outlive_it(monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any]) -> None:
    """Between the password and the session the member is changed, as it is seen by who waited for the row."""
    make_member(second_factor=False)
    first_step = SignIn.pre_login

    def slowly(self: SignIn, request: Any, user: Any, **hints: Any) -> Any:
        Member.objects.update(**facts)
        return first_step(self, request, user, **hints)

    monkeypatch.setattr(SignIn, "pre_login", slowly)
    client = Client()
    answer = client.post(LOGIN, {"login": "dana", "password": PASSWORD}, follow=True)
    assert "was changed just now" in answer.content.decode()
    assert not is_signed_in(client)
    assert not MemberSession.objects.filter(member__isnull=False).exists()
    assert Entry.objects.get(act="sign_in_refused").reason == "changed meanwhile"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["token", "sign-in"])
def test_what_waits_for_it_gets_nothing(first: str) -> None:
    member = make_member(second_factor=False)
    at, told = timezone.now(), []

    def ask() -> None:
        try:
            if first == "token":
                tokens.make(member=member, name="x", expires_at=at + timedelta(days=1), at=at)
            else:
                told.append(Client().post(LOGIN, {"login": "dana", "password": PASSWORD}).headers.get("Location"))
        except tokens.BadToken as error:
            told.append(str(error))
        finally:
            connection.close()

    with transaction.atomic():
        asking = Thread(target=ask)
        cut_off(member=member, by=None, reason="", at=at)
        asking.start()
        wait_until(waits_for_a_row, within_s=10, what="the one that waits")
    asking.join()
    Member.objects.update(is_active=True)
    assert told == (["who may not sign in has no tokens"] if first == "token" else [LOGIN])
    assert not ViewToken.objects.exists()
    assert not MemberSession.objects.filter(member__isnull=False).exists()


def waits_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND database IS NULL")
        row = cursor.fetchone()
    return bool(row and row[0])


def test_it_is_all_or_nothing(settings: Any) -> None:
    settings.ENDS_WITH_MEMBER = [*settings.ENDS_WITH_MEMBER, f"{__name__}.end_badly"]
    member = make_member(make_agency())
    client = signed_in(member)
    with pytest.raises(RuntimeError):
        cut_off(member=member, by=None, reason="", at=timezone.now())
    assert Member.objects.get(pk=member.pk).is_active
    assert client.get("/api/layers/").status_code == 200
    assert not Entry.objects.filter(act="cut_off").exists()


@pytest.mark.parametrize("revoke", [False, True])
def test_the_keys_that_they_made_are_named_and_revoked_when_asked(revoke: bool) -> None:
    agency = make_agency()
    member = make_member(agency)
    own, other = operations.make_key(agency=agency, by=member), operations.make_key(agency=agency)
    cut = cut_off(member=member, by=None, reason="", at=timezone.now(), revoke_keys=revoke)
    assert (cut.revoked, cut.left) == (([own.key.prefix], []) if revoke else ([], [own.key.prefix]))
    assert (ApiKey.objects.get(pk=own.key.pk).revoked_at is not None) == revoke
    assert ApiKey.objects.get(pk=other.key.pk).revoked_at is None


def test_the_command_says_what_it_did() -> None:
    make_member()
    out = io.StringIO()
    call_command("cut_off", "dana", "--reason", "phone stolen", stdout=out)
    assert "dana is cut off" in out.getvalue()
    assert Entry.objects.get(act="cut_off").reason == "phone stolen"
    with pytest.raises(CommandError, match="nobody is called eve"):
        call_command("cut_off", "eve")


def test_an_administrator_cuts_off_with_a_reason() -> None:
    member = make_member()
    client = signed_in(member)
    boss = signed_in(operations.make_administrator(username="boss", password=PASSWORD))
    act = {"action": "cut_off", "_selected_action": [member.pk], "reason": "suspended"}
    assert boss.post("/admin/accounts/member/", act).status_code == 302
    assert client.get("/api/layers/").status_code == 401
    entry = Entry.objects.get(act="cut_off")
    assert (entry.reason, entry.member_name, entry.detail["by"]) == ("suspended", "boss", "boss")
