"""Sessions: a new key at sign-in, 12 hours and no more, one screen of them, and their end."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.backends.base import UpdateError
from django.db import DatabaseError
from django.test import Client

from apps.accounts import operations, sessions
from apps.accounts.models import MemberSession
from apps.audit.models import Entry
from tests.apps.accounts.steps import SECOND, acts, give_code, give_password, is_signed_in, sign_in_wholly
from tests.world import PASSWORD, code_at, make_agency, make_member, signed_in

pytestmark = pytest.mark.django_db
NOON = 1_790_000_010
HOUR = 3600


def test_the_session_has_a_new_key_after_the_sign_in() -> None:
    make_member()
    client = Client()
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = planted
    assert give_password(client) == SECOND
    halfway = client.cookies["sessionid"].value
    give_code(client, code_at(time.time()))
    assert is_signed_in(client)
    assert client.cookies["sessionid"].value not in (planted, halfway)
    for old in (planted, halfway):
        stranger = Client()
        stranger.cookies["sessionid"] = old
        assert stranger.get("/api/layers/").status_code == 401


def test_a_session_ends_twelve_hours_after_the_sign_in_whatever_happens_in_it() -> None:
    make_member(make_agency())
    client = Client()
    with time_machine.travel(NOON, tick=False) as clock:
        sign_in_wholly(client)
        for _ in range(23):
            clock.shift(HOUR // 2)
            assert client.get("/api/layers/").status_code == 200
            session = client.session
            session["touched"] = time.time()
            session.save()
        clock.shift(HOUR // 2 - 1)
        assert client.get("/api/layers/").status_code == 200
        clock.shift(2)
        assert client.get("/api/layers/").status_code == 401
        assert client.get("/").headers["Location"].startswith("/accounts/login/")
        assert MemberSession.objects.get(member__isnull=False).expire_date == datetime.fromtimestamp(NOON + 12 * HOUR, UTC)


def test_what_is_known_of_a_session_is_on_its_screen() -> None:
    make_member()
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
    client = Client(REMOTE_ADDR="10.7.7.7", HTTP_USER_AGENT=agent)
    sign_in_wholly(client)
    page = client.get("/accounts/sessions/").content.decode()
    for words in ("10.7.7.7", "Chrome 141 on Windows", "password and code", "this one"):
        assert words in page
    assert client.cookies["sessionid"].value not in page, "a page does not tell the key"


def test_a_member_ends_one_session_and_all_others() -> None:
    member = make_member()
    here, there, elsewhere = signed_in(member), signed_in(member), signed_in(member)
    keys = [client.cookies["sessionid"].value for client in (here, there, elsewhere)]
    rows = {row["session"].session_key: row for row in here.get("/accounts/sessions/").context["rows"]}
    assert set(rows) == set(keys)
    here.post("/accounts/sessions/", {"end": rows[keys[1]]["id"]})
    assert [client.get("/api/layers/").status_code for client in (here, there, elsewhere)] == [200, 401, 200]
    here.post("/accounts/sessions/", {"end": "others"})
    assert [client.get("/api/layers/").status_code for client in (here, there, elsewhere)] == [200, 401, 401]
    assert acts().count("session_ended") == 2


def test_who_administers_sees_the_sessions_of_others_and_nobody_else_does() -> None:
    member = make_member()
    own = signed_in(member)
    boss = signed_in(operations.make_administrator(username="boss", password=PASSWORD))
    page = boss.get("/accounts/sessions/dana/")
    boss.post("/accounts/sessions/dana/", {"end": page.context["rows"][0]["id"]})
    assert own.get("/api/layers/").status_code == 401
    plain = signed_in(make_member(username="plain"))
    assert [plain.get(f"/accounts/sessions/{name}/").status_code for name in ("boss", "nobody")] == [404, 404]


def test_a_saved_session_takes_nothing_back_that_was_locked_meanwhile() -> None:
    client = signed_in(make_member())
    slow = client.session
    assert "sign_in" in slow
    MemberSession.objects.update(locked_at=datetime.now(UTC))
    slow["words"] = "of a slow request"
    slow.save()
    assert MemberSession.objects.get().locked_at is not None


def test_an_ended_session_is_not_saved_back_to_life() -> None:
    member = make_member()
    client = signed_in(member)
    slow = client.session
    assert "sign_in" in slow
    sessions.end_all(member, at=datetime.now(UTC))
    slow["words"] = "of a slow request"
    with pytest.raises(UpdateError):
        slow.save()
    assert not MemberSession.objects.filter(member=member).exists()


def test_what_begins_and_ends_is_written_down() -> None:
    make_member()
    client = Client(REMOTE_ADDR="10.1.2.3")
    give_password(client, password="wrong")
    sign_in_wholly(client)
    client.post("/accounts/logout/")
    assert acts()[-3:] == ["sign_in_failed", "sign_in", "sign_out"]
    failed, entered, left = Entry.objects.order_by("pk").filter(act__startswith="sign_")
    assert (failed.member_id, failed.member_name, failed.address) == (None, "dana", "10.1.2.3")
    assert entered.member_id == left.member_id is not None


def test_without_an_audit_row_nobody_is_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    make_member(second_factor=False)

    def full(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("the audit cannot be written")

    monkeypatch.setattr("apps.accounts.sign_in.record", full)
    client = Client(raise_request_exception=False)
    assert client.post("/accounts/login/", {"login": "dana", "password": PASSWORD}).status_code == 500
    assert not MemberSession.objects.filter(member__isnull=False).exists()


def test_administration_asks_again_after_fifteen_minutes() -> None:
    boss = operations.make_administrator(username="boss", password=PASSWORD)
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(boss)
        clock.shift(15 * 60 - 1)
        assert client.get("/admin/").status_code == 200
        clock.shift(2)
        asked = client.get("/admin/accounts/member/")
        assert asked.headers["Location"] == "/accounts/reauthenticate/?next=%2Fadmin%2Faccounts%2Fmember%2F"
        assert client.get("/accounts/sessions/boss/").headers["Location"].startswith("/accounts/reauthenticate/")
        assert client.get("/accounts/workstation/").headers["Location"].startswith("/accounts/reauthenticate/")
        page = client.post("/accounts/reauthenticate/", {"password": "wrong", "next": "/admin/accounts/member/"})
        assert page.status_code == 200
        assert client.get("/admin/").status_code == 302
        again = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/admin/accounts/member/"})
        assert again.headers["Location"] == "/admin/accounts/member/"
        assert client.get("/admin/").status_code == 200
    assert [act for act in acts() if "reauth" in act] == ["reauthentication_failed", "reauthenticated"]


def test_a_new_password_ends_every_other_session_of_theirs() -> None:
    member = make_member(make_agency())
    here, there = signed_in(member), signed_in(member)
    facts = {"oldpassword": PASSWORD, "password1": "quite another pass phrase", "password2": "quite another pass phrase"}
    assert here.post("/accounts/password/change/", facts).status_code == 302
    assert [client.get("/api/layers/").status_code for client in (here, there)] == [200, 401]
    assert MemberSession.objects.filter(member=member).count() == 1
    boss = signed_in(operations.make_administrator(username="boss", password=PASSWORD))
    facts = {"password1": "a third and other phrase", "password2": "a third and other phrase", "usable_password": "true"}
    assert boss.post(f"/admin/accounts/member/{member.pk}/password/", facts).status_code == 302
    assert here.get("/api/layers/").status_code == 401
    assert not MemberSession.objects.filter(member=member).exists()


def test_leaving_by_the_admin_pages_is_leaving() -> None:
    client = signed_in(operations.make_administrator(username="boss", password=PASSWORD))
    client.post("/admin/logout/")
    assert not is_signed_in(client)
    assert "sign_out" in acts()


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox 143 on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS like Mac OS X) AppleWebKit/605.1 Version/18.5 Mobile Safari/604.1", "Safari 18 on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0", "Edge 141 on Windows"),
        ("curl/8.5", "curl 8"), ("", "unknown"),
    ],
)  # fmt: skip
def test_a_browser_is_told_in_short(agent: str, told: str) -> None:
    assert sessions.short_agent(agent) == told
