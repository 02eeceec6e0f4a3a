"""The socket's rows of the matrix of rights: each role's browser, every kind of message, three agencies; and /healthz."""

import asyncio
import urllib.request
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from django.db import transaction
from django.db.models import F
from websockets.exceptions import InvalidStatus

from apps.accounts.models import Grant, Instance
from tests.apps.live.browser import Browser, Open
from tests.planted import Planted
from tests.rights import SEES, World, leaked, make_world
from tests.running import RunningSystem
from tests.world import move, say

AROUND = (-89.0, 41.0, -88.0, 42.0)
KINDS = {"hello", "snapshot", "changes", "introduce", "heartbeat", "withdraw", "reset"}


def received(browser: Browser) -> bytes:
    """All JSON that came; what came in frames is told by `agencies_drawn`."""
    return orjson.dumps(browser.messages)


def agencies_drawn(browser: Browser) -> set[int]:
    return {browser.agency_of(handle) for handle in browser.positions}


def of_kind(browser: Browser, kind: str) -> list[dict[str, Any]]:
    return [message for message in browser.messages if message["type"] == kind]


def knows(browser: Browser, agencies: list[Planted], calls: set[str]) -> bool:
    """Whether a browser draws the units and has these calls of the agencies that it may see."""
    shown = [feature for one in agencies for feature in browser.features.get(("calls", one.agency.pk), {}).values()]
    numbers = {feature["properties"]["number"] for feature in shown}
    return agencies_drawn(browser) == {one.agency.pk for one in agencies} and calls <= numbers and bool(browser.heartbeats)


@transaction.atomic
def happen_again(one: Planted) -> str:
    """Something of the agency changes in every layer that moves; return the number of its new call."""
    at = datetime.now(UTC)
    move(one.track, at, one.lon + 0.001, one.lat)
    say(one.source, f"{one.word}-H2", at=at, place=(one.lon, one.lat), address=f"2 {one.word} Street")
    return f"{one.word}-H2"


async def check_each(browsers: dict[str, Browser], world: World, numbers: dict[str, str], *, what: str) -> None:
    for who, browser in browsers.items():
        seen = [one for name, one in world.agencies.items() if name in SEES[who]]
        expected = {numbers[name] for name in SEES[who]}
        await browser.until(lambda b=browser, s=seen, e=expected: knows(b, s, e), what=f"{what} for {who}")  # type: ignore[misc]
        hidden = [one for name, one in world.agencies.items() if name not in SEES[who]]
        assert not leaked(received(browser), hidden), (what, who)
        assert browser.faults == [], (what, who)


async def test_each_role_is_told_what_its_grants_give_by_every_kind_of_message(system: RunningSystem, open_browser: Open) -> None:
    world = make_world(datetime.now(UTC))
    browsers = {who: await open_browser(member, view=AROUND) for who, member in world.members.items()}
    numbers = {name: f"{one.word}-H1" for name, one in world.agencies.items()}
    await check_each(browsers, world, numbers, what="the snapshot")
    numbers = {name: happen_again(one) for name, one in world.agencies.items()}
    await check_each(browsers, world, numbers, what="changes")
    Instance.objects.update(generation=F("generation") + 1)
    for browser in browsers.values():
        await browser.until(lambda b=browser: b.resets, what="a reset")  # type: ignore[misc]
    await check_each(browsers, world, numbers, what="what follows a reset")
    partner = world.agencies["partner"]
    Grant.objects.filter(agency=partner.agency, holder=world.agencies["own"].agency).delete()
    for who, browser in browsers.items():
        if "partner" in SEES[who]:
            await browser.until(lambda b=browser: len(of_kind(b, "withdraw")) == 4, what="all four layers withdrawn")  # type: ignore[misc]
            assert {message["agency"] for message in of_kind(browser, "withdraw")} == {partner.agency.pk}
            assert partner.agency.pk not in agencies_drawn(browser)
    assert {message["type"] for browser in browsers.values() for message in browser.messages} == KINDS
    await nothing_more_of(partner, browsers)


async def nothing_more_of(partner: Planted, browsers: dict[str, Browser]) -> None:
    before = {who: (len(browser.messages), browser.frames) for who, browser in browsers.items()}
    happen_again(partner)
    await asyncio.sleep(2.5)  # a hub that missed every hint has read it by now
    for who, browser in browsers.items():
        fresh = orjson.dumps(browser.messages[before[who][0] :])
        assert not leaked(fresh, [partner]), who
        assert partner.agency.pk not in agencies_drawn(browser)


async def test_who_is_not_signed_in_gets_no_socket(system: RunningSystem, open_browser: Open) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await open_browser(None)
    assert refused.value.response.status_code == 403


async def test_healthz_tells_of_no_agency(system: RunningSystem) -> None:
    world = make_world(datetime.now(UTC))
    with urllib.request.urlopen(system.url + "/healthz", timeout=5) as answer:
        told = answer.read() + str(answer.headers).encode()
    assert orjson.loads(told[: told.index(b"}") + 1]).keys() == {"status", "database", "redis", "pipeline"}
    assert not leaked(told, list(world.agencies.values()))
