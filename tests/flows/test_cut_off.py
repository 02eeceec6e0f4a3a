"""A member who is cut off, and one session that is ended: how long it takes until nothing works, with Redis and without."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from apps.accounts import sessions
from apps.accounts.cutting import cut_off
from apps.accounts.models import MemberSession
from apps.ingest.operations import issue_key
from tests.flows.story import CENTER, Sender, Story, now, pool
from tests.live_map import LiveMap, sign_in
from tests.running import RunningSystem, wait_until

WITHIN_S = 5.0


@pytest.fixture(params=["alive", "dead"])
def redis(request: pytest.FixtureRequest, system: RunningSystem) -> Iterator[str]:
    """Redis as it should be, or killed a moment before."""
    yield request.param
    system.start("redis")


def kill(redis: str, system: RunningSystem) -> None:
    if redis == "dead":
        system.kill("redis")
        time.sleep(1.2)


def ends_after_s(ways: dict[str, Callable[[], bool]]) -> dict[str, float]:
    """Ask each way again and again until it is closed; return after how many seconds each was."""
    begun, closed = time.monotonic(), dict[str, float]()
    while len(closed) < len(ways) and time.monotonic() < begun + 2 * WITHIN_S:
        for name in ways.keys() - closed.keys():
            if ways[name]():
                closed[name] = time.monotonic() - begun
        time.sleep(0.02)
    print({name: round(seconds, 2) for name, seconds in closed.items()})
    return closed


def status_of_page(story: Story, cookie: str) -> int:
    return pool.request("GET", f"{story.system.url}/api/layers/", headers={"Cookie": cookie}).status


def status_of_key(sender: Sender) -> int:
    fix = {"fixes": [{"id": "veh-1", "time": now().isoformat(), "lon": CENTER[0], "lat": CENTER[1]}]}
    return pool.request("POST", sender.url, json=fix, headers={"Authorization": f"Bearer {sender.key}"}).status


def has_closed(seen: LiveMap) -> bool:
    return seen.error is not None


def test_page_socket_and_key_of_a_member_who_is_cut_off_are_dead_within_five_seconds(
    system: RunningSystem, story: Story, redis: str
) -> None:
    sender = story.sender("fixes")
    sender.key = issue_key(sender.source, story.member)
    wait_until(lambda: status_of_key(sender) == 202, within_s=5, what="the key opens")
    with story.look() as seen:
        seen.until(lambda: seen.units(story.slug), what="the unit")
        assert status_of_page(story, story.cookie) == 200
        kill(redis, system)
        cut_off(member=story.member, by=None, reason="a drill", at=datetime.now(UTC), revoke_keys=True)
        took = ends_after_s(
            {
                "page": lambda: status_of_page(story, story.cookie) == 401,
                "socket": lambda: has_closed(seen),
                "key": lambda: status_of_key(sender) == 401,
            }
        )
    assert set(took) == {"page", "socket", "key"}
    assert max(took.values()) <= WITHIN_S


def test_one_session_that_is_ended_loses_its_page_and_socket_and_the_others_go_on(system: RunningSystem, story: Story, redis: str) -> None:
    other = sign_in(story.member)
    key = story.cookie.partition("=")[2]
    with story.look() as seen, LiveMap(system.live_url, cookie=other, origin=system.url) as goes_on:
        goes_on.until(lambda: goes_on.seen.hello, what="hello")
        seen.until(lambda: seen.seen.hello, what="hello")
        kill(redis, system)
        sessions.end(MemberSession.objects.get(session_key=key), at=datetime.now(UTC), reason="a drill")
        took = ends_after_s({"page": lambda: status_of_page(story, story.cookie) == 401, "socket": lambda: has_closed(seen)})
        assert set(took) == {"page", "socket"}
        assert max(took.values()) <= WITHIN_S
        assert not has_closed(goes_on)
        assert status_of_page(story, other) == 200


def test_a_socket_ends_with_its_twelve_hours(system: RunningSystem, story: Story) -> None:
    with story.look() as seen:
        seen.until(lambda: seen.seen.hello, what="hello")
        MemberSession.objects.filter(session_key=story.cookie.partition("=")[2]).update(expire_date=datetime.now(UTC))
        took = ends_after_s({"socket": lambda: has_closed(seen), "page": lambda: status_of_page(story, story.cookie) == 401})
    assert max(took.values()) <= WITHIN_S
    assert set(took) == {"socket", "page"}


def test_a_locked_desk_goes_on_seeing_the_map_and_reads_nothing(system: RunningSystem, story: Story) -> None:
    sender = story.sender("fixes")
    with story.look() as seen:
        seen.until(lambda: seen.seen.hello, what="hello")
        MemberSession.objects.filter(session_key=story.cookie.partition("=")[2]).update(locked_at=datetime.now(UTC))
        assert status_of_page(story, story.cookie) == 423
        sender.fix("veh-9", lon=CENTER[0], lat=CENTER[1])
        seen.until(lambda: seen.seen.positions, what="a position on the map of a locked desk")
