"""Nobody is told what they may not see: at sign-in, by agency, and when rights change while connected."""

import asyncio
import os
from datetime import timedelta
from time import monotonic

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.utils import timezone
from websockets.exceptions import InvalidStatus

from apps.accounts import operations
from apps.accounts.models import Instance, Member, MemberSession, Role
from tests.apps.live.browser import HOUSTON, Browser, Open
from tests.apps.live.test_hub import is_silent, shows
from tests.apps.live.town import DOWNTOWN, WEST, Town, withdraw
from tests.running import RunningSystem
from tests.world import give_app

EAST_SIDE = (-95.30, 29.72, -95.29, 29.73)


async def test_strangers_are_refused(system: RunningSystem, open_browser: Open) -> None:
    member = Town().member()
    for who, options in ((None, {}), (member, {"origin": "http://elsewhere.test"}), (member, {"subprotocol": "other"})):
        with pytest.raises(InvalidStatus) as refused:
            await open_browser(who, **options)
        assert refused.value.response.status_code == 403


async def test_a_member_without_grants_is_told_nothing(system: RunningSystem, open_browser: Open) -> None:
    from tests.world import make_member

    town = Town()
    town.unit()
    browser = await open_browser(make_member(None, username=f"nobody-{town.id}"))
    await browser.until(lambda: browser.heartbeats, what="a heartbeat")
    town.unit()
    await asyncio.sleep(1.5)
    assert {message["type"] for message in browser.messages} == {"hello", "heartbeat"}
    assert (browser.frames, browser.hello["agencies"], browser.heartbeats[-1]["counts"]) == (0, [], {})


async def test_agencies_do_not_leak_into_each_other(system: RunningSystem, open_browser: Open) -> None:
    ours, theirs = Town(), Town()
    for town in (ours, theirs):
        town.unit()
        town.call("H-1")
    browser = await open_browser(ours.member())
    await browser.until(lambda: shows(browser, ours), what="our own")
    for town in (theirs, ours):
        town.drive(town.unit(), WEST)
        town.call("H-2")
    await browser.until(lambda: shows(browser, ours), what="our own changes")
    await browser.until(lambda: browser.heartbeats, what="a heartbeat")
    assert {message["agency"] for message in browser.messages if "agency" in message} == {ours.id}
    assert {unit["agency"] for unit in browser.introduced.values()} == {ours.id}
    assert {agency for counts in browser.heartbeats[-1]["counts"].values() for agency in counts} == {str(ours.id)}


async def test_a_partner_sees_the_layer_that_was_given_and_no_other(system: RunningSystem, open_browser: Open) -> None:
    ours, theirs = Town(), Town()
    theirs.unit()
    theirs.call("H-9")
    member = ours.member()
    browser = await open_browser(member)
    await browser.until(lambda: browser.heartbeats, what="a heartbeat")
    operations.give_grant(role=Role.DISPATCHER, holder=ours.agency, layer="units", agency=theirs.agency)
    await browser.until(lambda: browser.drawn() == theirs.places, what="their units", within_s=2)
    assert ("calls", theirs.id) not in browser.features
    assert {agency["id"] for agency in browser.hello["agencies"]} == {ours.id, theirs.id}


@pytest.mark.parametrize(("redis", "within_s"), [("alive", 1.0), ("dead", 2.0)])
async def test_a_withdrawn_layer_is_gone_in_time(system: RunningSystem, open_browser: Open, redis: str, within_s: float) -> None:
    town = Town()
    unit = town.unit()
    browser = await open_browser(town.member())
    await browser.until(lambda: shows(browser, town), what="the snapshot")
    driving = asyncio.create_task(drive_forever(town, unit))
    if redis == "dead":
        system.kill("redis")
    await asyncio.sleep(1.2)
    withdraw(town, "units")
    withdrawn_at = monotonic()
    await browser.until(lambda: withdrawn(browser, "units"), what="withdraw", within_s=within_s)
    assert monotonic() - withdrawn_at <= within_s
    assert browser.drawn() == {}
    frames = browser.frames
    await asyncio.sleep(1.5)
    driving.cancel()
    system.start("redis")
    assert (browser.frames, browser.drawn()) == (frames, {})
    assert not withdrawn(browser, "calls")
    town.call("H-5")
    await browser.until(lambda: ("calls", town.id) in browser.features and browser.features[("calls", town.id)], what="calls go on")


async def test_nothing_is_shown_while_rights_are_in_doubt(system: RunningSystem, open_browser: Open, live_database: str) -> None:
    town = Town()
    town.unit(WEST)
    browser = await open_browser(town.member(), view=EAST_SIDE)
    await browser.until(lambda: browser.heartbeats and browser.heartbeats[-1]["counts"]["units"] == {str(town.id): 1}, what="the unit")
    with connect(live_database) as other:
        other.execute("LOCK TABLE accounts_membership IN ACCESS EXCLUSIVE MODE")
        withdraw(town, "units")
        await browser.until(lambda: is_silent(browser), what="no heartbeats while it is in doubt")
        frames = browser.frames
        await browser.look(HOUSTON)
        await asyncio.sleep(1)
        assert (browser.frames, browser.drawn()) == (frames, {})
    await browser.until(lambda: withdrawn(browser, "units"), what="withdraw")
    town.call("H-1")
    await browser.until(lambda: browser.features[("calls", town.id)], what="calls go on")
    assert browser.drawn() == {}


def connect(database: str) -> psycopg.Connection[tuple[object, ...]]:
    names = {"host": "RTCC_PGHOST", "port": "RTCC_PGPORT", "user": "RTCC_PGUSER"}
    return psycopg.connect(dbname=database, **{key: os.environ[name] for key, name in names.items()})  # type: ignore[arg-type]


async def drive_forever(town: Town, unit: object) -> None:
    step = 0
    while True:
        step += 1
        town.drive(unit, (DOWNTOWN[0], DOWNTOWN[1] + step / 10_000))  # type: ignore[arg-type]
        await asyncio.sleep(0.05)


def withdrawn(browser: Browser, layer: str) -> bool:
    return any(message["type"] == "withdraw" and message["layer"] == layer for message in browser.messages)


async def test_a_member_who_is_deactivated_is_cut_off(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    member = town.member()
    browser = await open_browser(member)
    member.is_active = False
    member.save()
    await browser.until(lambda: browser.closed == 4403, what="the end", within_s=2.5)


async def test_a_live_map_is_withdrawn_with_the_second_factor(system: RunningSystem, open_browser: Open) -> None:
    """The instance is operational: a role counts only with one."""
    town = Town()
    town.unit()
    member = town.member()
    browser = await open_browser(member)
    await browser.until(lambda: shows(browser, town), what="the snapshot")
    Authenticator.objects.filter(user=member).delete()
    await browser.until(lambda: withdrawn(browser, "units") and withdrawn(browser, "calls"), what="withdraw", within_s=2.5)
    assert browser.drawn() == {}
    give_app(member)
    await browser.until(lambda: shows(browser, town), what="all of it again", within_s=5)


async def test_a_live_map_is_withdrawn_when_the_days_without_one_are_over(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    town.unit()
    member = town.member()
    Member.objects.filter(pk=member.pk).update(second_factor_due=timezone.now() + timedelta(seconds=60))
    Authenticator.objects.filter(user=member).delete()
    browser = await open_browser(member)
    await browser.until(lambda: shows(browser, town), what="the snapshot")
    Member.objects.filter(pk=member.pk).update(second_factor_due=timezone.now() + timedelta(seconds=1))
    await browser.until(lambda: withdrawn(browser, "units") and withdrawn(browser, "calls"), what="withdraw", within_s=4)
    assert browser.drawn() == {}


async def test_signing_out_and_a_new_password_end_the_connection(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    leaving, changing = town.member(), town.member()
    first, second = await open_browser(leaving), await open_browser(changing)
    MemberSession.objects.filter(session_key=first.session_key).delete()
    changing.set_password("another long pass phrase")
    changing.save()
    await second.until(lambda: second.closed == 4401, what="the end after a new password", within_s=2.5)
    await first.until(lambda: first.closed == 4401, what="the end after signing out", within_s=6)


async def test_replaced_history_is_shown_anew(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    unit = town.unit()
    browser = await open_browser(town.member())
    await browser.until(lambda: shows(browser, town), what="the snapshot")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tracks_position WHERE track_id = %s", [unit.pk])
    instance = Instance.objects.get()
    instance.generation += 1
    instance.save()
    await browser.until(lambda: browser.resets == 1 and browser.drawn() == {}, what="the reset", within_s=3)
    town.places.clear()
    town.unit(WEST)
    await browser.until(lambda: shows(browser, town), what="what comes after", within_s=3)
    assert browser.faults == []
