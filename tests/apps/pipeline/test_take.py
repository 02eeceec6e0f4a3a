"""Rows leave the queue in the order in which each track said them."""

import time

import pytest

from apps.geo.shards import shard_of
from apps.geofences.models import Fence
from apps.pipeline import take
from apps.pipeline.owner import connect
from tests.apps.pipeline.feeding import ALL, Feed, fix

OUTSIDE, INSIDE = -95.40, -95.36


@pytest.fixture(autouse=True)
def ripe_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take, "RIPE_S", 0.0)


def test_a_row_that_commits_below_the_floor_keeps_its_turn(feed: Feed, square: Fence) -> None:
    """Two writers: the one with the lower id commits later. With floors that rise at once, its row waits for a take
    without floors, and the next fix of its track is taken first: it comes out late and its crossing is never seen. Found
    by the drill that freezes one of two owners; with the floors as they were, the last two assertions fail."""
    beside = next(name for name in map(str, range(2_000)) if shard_of(f"{feed.source_id}:{name}") == shard_of(f"{feed.source_id}:a"))
    feed.send(fix("a", 0, OUTSIDE))
    slow = connect("slow writer")
    with slow.transaction():
        first = feed.put(fix("a", 1, INSIDE), over=slow)
        feed.put(fix(beside, 0))
        assert feed.runner.run(ALL, without_floors=False) == 1
        assert feed.runner.run(ALL, without_floors=False) == 0
    slow.close()
    feed.put(fix("a", 2, INSIDE))
    assert feed.run(without_floors=False) == 2
    assert feed.outcomes(first) == {}
    assert ("a", "square", "enter", 1, 1) in feed.transitions()


def test_floors_rise_when_all_that_ran_beside_has_ended(feed: Feed) -> None:
    """Floors spare each take the index entries of dead rows: they must not stay at zero."""
    for second in range(4):
        feed.put(fix("a", second))
        feed.run(without_floors=False)
    shard = next(iter(feed.runner.taker.floors))
    assert feed.runner.taker.floors[shard] > 1


def test_one_take_is_bounded(feed: Feed) -> None:
    feed.connection.execute(
        "INSERT INTO ingest_inbound (shard, source_id, post_id, received_us, count, parcel) "
        "SELECT 5, %s, gen_random_uuid(), 0, 1, '\\x9290'::bytea || '\\x90'::bytea FROM generate_series(1, 1500)",
        [feed.source_id],
    )
    with feed.connection.transaction(), feed.connection.cursor() as cursor:
        rows = feed.runner.taker.take(cursor, ALL, without_floors=True)
    assert 1 <= len(rows) <= take.MOST_ROWS_A_SHARD
    assert [row.id for row in rows] == sorted(row.id for row in rows)


def test_large_rows_make_smaller_takes(feed: Feed) -> None:
    taker = feed.runner.taker
    before = taker._rows_a_shard(1)
    for second in range(20):
        feed.put(*(fix("a", second * 100 + step / 2) for step in range(200)))
        feed.run()
    assert taker._rows_a_shard(1) < before
    assert taker._rows_a_shard(1) * 200 <= take.MOST_OBSERVATIONS * 2


def test_an_emptied_queue_costs_no_wait(feed: Feed) -> None:
    began = time.monotonic()
    assert feed.run() == 0
    assert time.monotonic() - began < 1


def test_a_look_below_goes_to_the_first_row_as_often_as_that_is_cheap() -> None:
    floors = take.Floors()
    assert floors.below({7: 100}, at=50.0) == {}
    floors.looked(50.0, 50.5)
    assert floors.below({7: 200}, at=51.0) == {}, "no floor is old enough yet"
    for second in range(52, 60):
        floors.below({7: second}, at=float(second))
    assert floors.below({7: 900}, at=60.0) == {7: 56}, "3 to 6 s old"
    assert floors.below({7: 900}, at=50.5 + take.SPARING * 0.5) == {}


def test_a_row_far_below_the_floors_is_found_when_all_is_looked_through(feed: Feed) -> None:
    feed.send(fix("a", 0))
    taker = feed.runner.taker
    feed.put(fix("a", 1))
    far = dict.fromkeys(ALL, 2**40)
    taker.floors, taker.before = far, take.Floors(then=far, since=far, turned_at=time.monotonic(), all_due=time.monotonic() + 60)
    assert feed.runner.run(ALL, without_floors=True) == 0
    taker.before.all_due = 0.0
    assert feed.runner.run(ALL, without_floors=True) == 1
