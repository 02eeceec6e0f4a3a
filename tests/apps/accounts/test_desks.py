"""Desks that stand idle: their class, their lock and what it covers."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from apps.accounts import desks, operations
from apps.accounts.models import MemberSession, SignInAttempts, WorkstationClass
from tests.apps.accounts.steps import acts
from tests.world import PASSWORD, make_administrator, make_agency, make_instance, make_member, signed_in

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


def stand_idle(minutes: float) -> datetime:
    """Let nobody have used the desk for so long."""
    seen_at = timezone.now() - timedelta(minutes=minutes)
    MemberSession.objects.update(seen_at=seen_at)
    return seen_at


def seen_s() -> float:
    """Return how long ago the desk was used, in seconds."""
    return time.time() - MemberSession.objects.get().seen_at.timestamp()  # type: ignore[union-attr]


def test_what_a_session_reads_is_its_use(desk: Client) -> None:
    before = MemberSession.objects.get().seen_at
    desk.get("/api/layers/")
    assert MemberSession.objects.get().seen_at == before, "written only now and then"
    stand_idle(29)
    assert desk.get("/api/layers/").status_code == 200
    assert seen_s() < 10


def test_a_desk_that_nobody_used_is_locked_whatever_page_was_open(desk: Client) -> None:
    stand_idle(31)
    assert desk.get("/api/layers/").status_code == 423
    assert MemberSession.objects.get().locked_at is not None
    assert acts()[-1] == "session_locked"
    stand_idle(120)
    assert unlock(desk, password=PASSWORD).json() == {"locked": False}
    assert desk.get("/api/layers/").status_code == 200, "who unlocked it uses it"
    stand_idle(31)
    assert b"data-locked" in desk.get("/").content
    assert acts().count("session_locked") == 2


def test_each_kind_of_desk_is_locked_in_its_own_time(desk: Client) -> None:
    agency = make_agency("other")
    quick = WorkstationClass.objects.create(agency=agency, name="Front office", idle_minutes=5)
    floor = WorkstationClass.objects.create(agency=agency, name="Dispatch floor", is_exempt=True)
    for chosen, minutes, status in ((floor, 11 * 60, 200), (quick, 4.9, 200), (quick, 5.1, 423)):
        response = HttpResponse()
        desks.set_class(response, chosen, secure=False)
        desk.cookies["rtcc_workstation"] = response.cookies["rtcc_workstation"].value
        stand_idle(minutes)
        assert desk.get("/api/layers/").status_code == status


@pytest.mark.parametrize("said", [{}, {"idle_s": "1200"}, {"idle_s": "x"}, {"idle_s": "-5"}, {"idle_s": "nan"}, {"idle_s": "-inf"}])
def test_a_map_that_nobody_uses_asks_without_using_the_desk(desk: Client, said: dict[str, str]) -> None:
    before = stand_idle(10)
    assert desk.get(STATE, said).json()["locked"] is False
    assert MemberSession.objects.get().seen_at == before


def test_a_page_that_loads_itself_again_does_not_use_the_desk() -> None:
    make_instance()
    boss = signed_in(make_administrator())
    before = stand_idle(10)
    assert boss.get("/health/").status_code == 200
    assert MemberSession.objects.get().seen_at == before


def test_a_map_that_somebody_moves_keeps_the_desk_open(desk: Client) -> None:
    stand_idle(29)
    desk.get(STATE, {"idle_s": "7"})
    assert 7 <= seen_s() < 17
    stand_idle(31)
    assert desk.get(STATE, {"idle_s": "0"}).json()["locked"] is True, "a word that comes too late opens nothing"


def test_a_page_that_is_loaded_anew_knows_how_long_the_desk_stood(desk: Client) -> None:
    stand_idle(20)
    assert b'data-idle-s="1200"' in desk.get("/").content
