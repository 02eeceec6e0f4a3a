"""Desks that stand idle: their class, their lock and what it covers."""

import time
from typing import Any

import pytest
from django.test import Client

from apps.accounts import operations
from apps.accounts.models import MemberSession, SignInAttempts, WorkstationClass
from tests.apps.accounts.steps import acts
from tests.world import PASSWORD, make_agency, make_instance, make_member, signed_in

pytestmark = pytest.mark.django_db
STATE, LOCK, UNLOCK = "/accounts/session/", "/accounts/session/lock/", "/accounts/session/unlock/"


@pytest.fixture
def desk() -> Client:
    make_instance()
    return signed_in(make_member(make_agency()))


def unlock(client: Client, **words: Any) -> Any:
    return client.post(UNLOCK, words, content_type="application/json")


def test_a_locked_session_reads_nothing_until_its_member_signs_in_over_it(desk: Client) -> None:
    assert desk.get(STATE).json() | {"ends_at": None} == {"locked": False, "idle_s": 1800.0, "ends_at": None, "notices": []}
    assert desk.post(LOCK).json() == {"locked": True}
    refused = desk.get("/api/layers/")
    assert (refused.status_code, refused.json()["error"]) == (423, "locked")
    assert [desk.get(path).status_code for path in ("/accounts/sessions/", "/admin/", "/api/schema/")] == [423] * 3
    assert [desk.get(path, headers={"accept": "text/html"}).headers["Location"] for path in ("/accounts/sessions/", "/admin/")] == ["/"] * 2
    assert desk.get(STATE).json()["locked"] is True
    assert unlock(desk, password="wrong").status_code == 403
    assert desk.get("/api/layers/").status_code == 423
    assert unlock(desk, password=PASSWORD).json() == {"locked": False}
    assert desk.get("/api/layers/").status_code == 200
    assert [act for act in acts() if act.startswith(("session", "reauth"))] == [
        "session_locked", "reauthentication_failed", "reauthenticated", "session_unlocked",
    ]  # fmt: skip


def test_guessing_at_a_locked_desk_locks_the_name(desk: Client) -> None:
    desk.post(LOCK)
    for number in range(6):
        answer = desk.post(UNLOCK, {"password": "wrong"}, content_type="application/json", REMOTE_ADDR=f"10.0.0.{number}")
    assert "is locked" in answer.json()["detail"]
    assert SignInAttempts.objects.get().locked_at is not None
    assert MemberSession.objects.get().locked_at is not None


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"password": 7}', b'{"credential": {}}', b'{"credential": "x"}', b"\xff" * 30_000])
def test_what_cannot_be_read_unlocks_nothing(desk: Client, body: bytes) -> None:
    desk.post(LOCK)
    assert desk.post(UNLOCK, body, content_type="application/json").status_code == 403
    assert desk.get(STATE).json()["locked"] is True


def test_another_members_password_unlocks_nothing(desk: Client) -> None:
    operations.make_member(username="eve", password="the phrase of somebody else")
    desk.post(LOCK)
    assert unlock(desk, password="the phrase of somebody else").status_code == 403


def test_signing_out_is_possible_while_locked(desk: Client) -> None:
    desk.post(LOCK)
    assert desk.post("/accounts/logout/").status_code == 302
    assert desk.get(STATE).status_code == 401


def test_strangers_have_no_session_to_ask_for() -> None:
    assert [Client().get(STATE).status_code, Client().post(LOCK).status_code, Client().get(UNLOCK).status_code] == [401, 401, 401]
    assert Client(enforce_csrf_checks=True).post(LOCK).status_code == 403


def test_who_administers_says_at_a_desk_what_kind_it_is(desk: Client) -> None:
    agency = make_agency("other")
    quick = WorkstationClass.objects.create(agency=agency, name="Front office", idle_minutes=5)
    floor = WorkstationClass.objects.create(agency=agency, name="Dispatch floor", is_exempt=True)
    assert desk.get("/accounts/workstation/").status_code == 403
    boss = make_member(username="boss")
    boss.is_staff = boss.is_superuser = True
    boss.save()
    browser = signed_in(boss)
    for chosen, idle_s in ((quick, 300.0), (floor, None)):
        browser.post("/accounts/workstation/", {"class": chosen.pk})
        desk.cookies["rtcc_workstation"] = browser.cookies["rtcc_workstation"].value
        assert desk.get(STATE).json()["idle_s"] == idle_s
    assert desk.post(LOCK).json() == {"locked": False}, "a desk that never locks"
    floor.delete()
    assert desk.get(STATE).json()["idle_s"] == 1800.0
    desk.cookies["rtcc_workstation"] = f"{quick.pk}"
    assert desk.get(STATE).json()["idle_s"] == 1800.0, "a class that nobody signed"
    assert acts().count("workstation_set") == 2


def test_what_a_session_reads_is_seen_once_a_minute(desk: Client) -> None:
    session = MemberSession.objects.get()
    before = session.seen_at
    desk.get(STATE)
    assert MemberSession.objects.get().seen_at == before
    MemberSession.objects.update(seen_at=session.begun_at - (session.expire_date - session.begun_at))
    desk.get(STATE)
    assert abs(MemberSession.objects.get().seen_at.timestamp() - time.time()) < 10  # type: ignore[union-attr]
