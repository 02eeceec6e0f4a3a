"""What a socket's client may say, and what one costs that is nobody."""

import asyncio
from contextlib import suppress
from time import monotonic

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.apps.live.browser import Open
from tests.apps.live.town import Town
from tests.running import RunningSystem


@pytest.mark.parametrize(("size", "code"), [(5_000, 1009), (4_000_000, 1009)])
async def test_a_message_that_is_too_long_ends_the_connection(system: RunningSystem, open_browser: Open, size: int, code: int) -> None:
    browser = await open_browser(Town().member())
    with suppress(ConnectionClosed):
        await browser.socket.send('{"type":"view","bbox":[0,0,0,0],"zoom":1,"x":"' + "x" * size + '"}')
    await browser.until(lambda: browser.closed == code, what="the end")


async def test_who_says_too_much_is_ended_and_others_go_on(system: RunningSystem, open_browser: Open) -> None:
    loud, quiet = await open_browser(Town().member()), await open_browser(Town().member())
    for _ in range(1000):
        if loud.closed is not None:
            break
        await loud.socket.send('{"type":"view","bbox":[-95.8,29.5,-95.0,30.1],"zoom":12}')
        await asyncio.sleep(0)
    await loud.until(lambda: loud.closed == 4400, what="the end")
    beats = len(quiet.heartbeats)
    await quiet.until(lambda: len(quiet.heartbeats) > beats, what="a heartbeat")
    assert quiet.closed is None


async def test_panning_as_fast_as_a_hand_can_is_not_too_much(system: RunningSystem, open_browser: Open) -> None:
    browser = await open_browser(Town().member())
    for step in range(200):
        await browser.look((-95.8 + step / 1000, 29.5, -95.0, 30.1))
    beats = len(browser.heartbeats)
    await browser.until(lambda: len(browser.heartbeats) > beats, what="a heartbeat")
    assert browser.closed is None


async def test_three_hundred_strangers_are_turned_away_while_a_member_is_told(system: RunningSystem, open_browser: Open) -> None:
    browser = await open_browser(Town().member())
    began = monotonic()

    async def knock(number: int) -> None:
        headers = {"Cookie": f"sessionid=nobody{number}"} if number % 2 else {}
        origin = system.url if number % 3 else "http://elsewhere.test"
        with pytest.raises(InvalidStatus) as refused:
            async with connect(system.live_url, origin=origin, subprotocols=["rtcc.live.v1"], additional_headers=headers, proxy=None):  # type: ignore[arg-type, list-item]
                pass
        assert refused.value.response.status_code == 403

    for first in range(0, 300, 50):
        await asyncio.gather(*(knock(number) for number in range(first, first + 50)))
    beats = len(browser.heartbeats)
    await browser.until(lambda: len(browser.heartbeats) > beats, what="a heartbeat", within_s=5)
    assert browser.closed is None
    assert monotonic() - began < 30
