"""A member who is cut off: everything they have ends in one transaction, and what goes on is named."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts import operations
from apps.accounts.cutting import cut_off
from apps.accounts.models import ApiKey, Member, MemberSession
from apps.accounts.viewer import grant_epoch, viewer_of
from apps.audit.models import Entry
from tests.apps.accounts.steps import LOGIN, is_signed_in
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
