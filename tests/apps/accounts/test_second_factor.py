"""The second factor: asked for, used once, kept secret, and what rights depend on it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts import epoch, operations, second_factor, vault
from apps.accounts.models import InstanceKind, Member, SignInAttempts
from apps.accounts.viewer import grant_epoch, viewer_of
from apps.audit.models import Entry
from tests.apps.accounts.steps import SECOND, acts, give_code, give_password, is_signed_in, sign_in_wholly
from tests.world import PASSWORD, SECRET, code_at, give_app, make_agency, make_instance, make_member, signed_in

pytestmark = pytest.mark.django_db
NOON = 1_790_000_010


def test_a_password_alone_does_not_sign_in_who_has_an_app() -> None:
    make_member()
    client = Client()
    assert give_password(client) == SECOND
    assert not is_signed_in(client)
    assert client.get("/api/layers/").status_code == 401
    assert give_code(client, code_at(time.time())) == "/"
    assert is_signed_in(client)
    assert Entry.objects.get(act="sign_in").detail == {"how": "password and code"}


def test_a_code_is_used_once() -> None:
    make_member()
    with time_machine.travel(NOON, tick=False) as clock:
        first, second, third = Client(), Client(), Client()
        give_password(first)
        assert give_code(first, code_at(NOON)) == "/"
        clock.shift(3)
        give_password(second)
        assert "was used already" in give_code(second, code_at(NOON))
        assert not is_signed_in(second)
        clock.shift(40)
        give_password(third)
        assert "was used already" in give_code(third, code_at(NOON)), "while the code is still within the tolerance"
        assert give_code(third, code_at(NOON + 43)) == "/"


def test_a_code_is_taken_half_a_minute_early_or_late_and_no_more() -> None:
    member = make_member()
    app = Authenticator.objects.get(user=member)
    taken = []
    for step in range(-3, 4):
        app.data["counter"] = -1
        app.save()
        found = second_factor.use_code(member, code_at(NOON + 30 * step), at=datetime.fromtimestamp(NOON, UTC))
        taken.append(found is not None)
    assert taken == [False, False, True, True, True, False, False]


def test_an_older_code_is_not_taken_after_a_newer_one() -> None:
    member = make_member()
    at = timezone.now()
    assert second_factor.use_code(member, code_at(at.timestamp() + 30), at=at)
    assert not second_factor.use_code(member, code_at(at.timestamp()), at=at)


def test_wrong_codes_lock_the_name_though_the_password_is_right() -> None:
    make_member()
    for number in range(6):
        client = Client(REMOTE_ADDR=f"10.0.0.{number}")
        give_password(client)
        answer = give_code(client, "000000")
    assert SignInAttempts.objects.get().locked_at is not None
    assert "locked" in answer or "is locked" in give_password(Client(REMOTE_ADDR="10.0.1.1"))
    assert acts().count("second_factor_failed") == 5
    assert "name_locked" in acts()


def test_a_recovery_code_opens_once() -> None:
    member = make_member()
    codes = _recovery_codes(member)
    first, second = Client(), Client()
    give_password(first)
    assert give_code(first, codes[0]) == "/"
    give_password(second)
    assert "not right" in give_code(second, codes[0])
    assert "recovery_code_used" in acts()


def _recovery_codes(member: Member) -> list[str]:
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    codes: list[str] = RecoveryCodes.activate(member).generate_codes()
    return codes


def test_secrets_are_encrypted_at_rest(settings: Any) -> None:
    member = make_member()
    _recovery_codes(member)
    for row in Authenticator.objects.filter(user=member):
        assert SECRET not in str(row.data)
    stored = Authenticator.objects.get(user=member, type="totp").data["secret"]
    assert vault.decrypt(stored) == SECRET
    settings.SECRET_KEY = "another secret key of another instance, long enough"
    with pytest.raises(vault.Unreadable):
        vault.decrypt(stored)


def test_an_app_whose_secret_cannot_be_read_does_not_close_the_recovery_codes(settings: Any) -> None:
    member = make_member()
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another secret key of this instance, long enough"
    codes = _recovery_codes(member)
    client = Client()
    give_password(client)
    assert "not right" in give_code(client, code_at(time.time()))
    assert give_code(client, codes[0]) == "/"
    settings.SECRET_KEY_FALLBACKS = [old]
    other = Client()
    give_password(other)
    assert give_code(other, code_at(time.time())) == "/", "the key of before is among the fallbacks"


def test_where_the_server_is_on_duty_no_second_factor_means_no_rights() -> None:
    make_instance(InstanceKind.OPERATIONAL)
    agency = make_agency()
    member = make_member(agency, second_factor=False)
    before = grant_epoch()
    assert viewer_of(member.pk).rights == frozenset()
    give_app(member)
    assert grant_epoch() > before, "live maps hear of it"
    assert viewer_of(member.pk).agencies("calls") == [agency.pk]
    before = grant_epoch()
    Authenticator.objects.all().delete()
    assert grant_epoch() > before
    assert viewer_of(member.pk).rights == frozenset()


def test_recovery_codes_alone_are_no_second_factor() -> None:
    make_instance(InstanceKind.OPERATIONAL)
    member = make_member(make_agency(), second_factor=False)
    _recovery_codes(member)
    assert viewer_of(member.pk).rights == frozenset()


def test_a_demonstration_asks_for_none() -> None:
    make_instance(InstanceKind.DEMO)
    agency = make_agency()
    assert viewer_of(make_member(agency, second_factor=False).pk).agencies("calls") == [agency.pk]


def test_members_from_before_the_upgrade_have_some_days() -> None:
    make_instance(InstanceKind.OPERATIONAL)
    agency = make_agency()
    member = make_member(agency, second_factor=False)
    Member.objects.update(second_factor_due=timezone.now() + timedelta(days=1))
    assert viewer_of(member.pk).agencies("calls") == [agency.pk]
    with connection.cursor() as cursor:
        before = grant_epoch()
        epoch.end_grace(cursor)
        assert grant_epoch() == before
        Member.objects.update(second_factor_due=timezone.now() - timedelta(seconds=1))
        assert viewer_of(member.pk).rights == frozenset()
        for _ in range(2):
            epoch.end_grace(cursor)
            assert grant_epoch() == before + 1, "live maps hear of it, once"


def test_the_first_administrator_is_led_to_it_and_administers_only_then() -> None:
    make_instance(InstanceKind.OPERATIONAL)
    operations.make_administrator(username="admin", password=PASSWORD)
    client = Client()
    assert give_password(client, "admin") == "/"
    for path in ("/", "/admin/", "/admin/accounts/member/"):
        assert client.get(path).headers["Location"] == "/accounts/2fa/"
    assert client.get("/accounts/2fa/").status_code == 200
    page = client.get("/accounts/2fa/app/")
    assert b'src="data:image/svg+xml' in page.content
    secret = page.context["form"].secret
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    assert client.post("/accounts/2fa/app/", {"code": code}).headers["Location"] == "/accounts/2fa/codes/"
    assert client.get("/accounts/2fa/codes/").content.count(b"<code>") == 10
    assert client.get("/admin/").status_code == 200
    assert acts().count("second_factor_added") == 2, "the app and its recovery codes"
    other = Client()
    give_password(other, "admin")
    assert "was used already" in give_code(other, code), "the code that proved the app"


def test_a_session_ends_with_its_lost_second_factor() -> None:
    member = make_member()
    client = Client()
    sign_in_wholly(client)
    boss = signed_in(operations.make_administrator(username="boss", password=PASSWORD))
    act = {"action": "remove_second_factor", "_selected_action": [member.pk], "reason": "lost phone"}
    assert boss.post("/admin/accounts/member/", act).status_code == 302
    assert not Authenticator.objects.filter(user=member).exists()
    assert client.get("/api/layers/").status_code == 401
    assert Entry.objects.get(act="second_factor_reset").reason == "lost phone"
