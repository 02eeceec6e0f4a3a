"""Owners share the shards evenly, hand over, and take over from one that stalls."""

import threading
import time
from collections.abc import Iterator

import pytest

from apps.accounts.models import Agency
from apps.pipeline import shards
from apps.pipeline.owner import Owner, open_owner
from tests.apps.pipeline.feeding import Feed, fix


@pytest.fixture
def owners(agency: Agency) -> Iterator[list[Owner]]:
    pair = [open_owner(), open_owner()]
    yield pair
    for owner in pair:
        owner.connection.close()


def held(owner: Owner) -> list[int]:
    return owner.runner.memory.shards


def end(owner: Owner, beside: Owner) -> None:
    """Close an owner's connection, and wait until PostgreSQL has noticed."""
    pid = owner.connection.info.backend_pid
    owner.connection.close()
    while beside.connection.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
        time.sleep(0.01)


def test_two_owners_share_evenly_and_hand_over(owners: list[Owner]) -> None:
    first, second = owners
    end(second, beside=first)
    first._balance()
    assert held(first) == list(range(64))
    owners[1] = second = open_owner()
    first._balance()
    second._balance()
    assert (len(held(first)), len(held(second))) == (32, 32)
    assert set(held(first)).isdisjoint(held(second))
    end(second, beside=first)
    first._balance()
    assert held(first) == list(range(64))


def test_a_track_is_followed_by_its_new_owner(owners: list[Owner], feed: Feed, square: object) -> None:
    first, second = owners
    first._balance()
    second._balance()
    names = [f"v{number}" for number in range(8)]
    for second_of, lon in ((0, -95.36), (1, -95.40)):
        feed.put(*(fix(name, second_of, lon) for name in names))
        for owner in owners:
            owner._run_together()
        first._give_back(held(first)[:16])
        second._hold(sorted(held(second) + shards.win(second.connection, held(second), 48)))
    assert len(feed.transitions()) == 16
    assert feed.present() == []


def test_the_watchdog_ends_an_owner_that_makes_no_batch(owners: list[Owner], feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "STALLED_AFTER_S", 0)
    owners[0]._balance()
    assert shards.end_stalled(feed.connection) == [], "nothing waits: nobody stalls"
    feed.put(*(fix(f"v{number}", 0) for number in range(64)))
    assert shards.end_stalled(feed.connection) == [owners[0].connection.info.backend_pid]


def test_a_stalled_owner_is_left_alone_for_15_s(owners: list[Owner], feed: Feed) -> None:
    owners[0]._balance()
    feed.put(*(fix(f"v{number}", 0) for number in range(64)))
    assert shards.end_stalled(feed.connection) == []


def test_it_serves_until_it_is_told_to_stop(owners: list[Owner], feed: Feed) -> None:
    end(owners[1], beside=owners[0])
    stopping = threading.Event()
    serving = threading.Thread(target=owners[0].serve, args=[stopping])
    serving.start()
    post = feed.put(fix("a", 0))
    while feed.rows("SELECT 1 FROM ingest_inbound"):
        assert serving.is_alive()
    stopping.set()
    serving.join(5)
    assert feed.outcomes(post) == {}
    assert feed.rows("SELECT DISTINCT ended_cleanly, strikes FROM pipeline_shardstate") == [(True, 0)]
