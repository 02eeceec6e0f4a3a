"""Rows leave the queue in the order in which each track said them."""

import time
from typing import Any

import psycopg
import pytest

from apps.geo.shards import shard_of
from apps.geofences.models import Fence
from apps.pipeline import overlooked, take
from apps.pipeline.owner import Owner, connect, watch_below
from tests.apps.pipeline.feeding import ALL, Feed, fix

OUTSIDE, INSIDE = -95.40, -95.36


def neighbor(feed: Feed, identity: str) -> str:
    """Return another device of the same shard."""
    shard = shard_of(f"{feed.source_id}:{identity}")
    return next(name for name in map(str, range(2_000)) if shard_of(f"{feed.source_id}:{name}") == shard)


def test_a_row_that_commits_below_the_floor_keeps_its_turn(feed: Feed, square: Fence) -> None:
    """Two writers: the one with the lower id commits later. With floors that rise at once its row lies under them, and
    the next fix of its track is taken first: it comes out late and its crossing is never seen. Found by the drill that freezes
    one of two owners; with `ripe_from = 0` in Taker.settle the last two assertions fail."""
    feed.send(fix("a", 0, OUTSIDE))
    slow = connect("slow writer")
    with slow.transaction():
        first = feed.put(fix("a", 1, INSIDE), over=slow)
        for second in range(3):
            feed.put(fix(neighbor(feed, "a"), second))
            assert feed.runner.run(ALL) == 1
            assert feed.runner.run(ALL) == 0
    slow.close()
    feed.put(fix("a", 2, INSIDE))
    assert feed.run() == 2
    assert feed.outcomes(first) == {}
    assert ("a", "square", "enter", 1, 1) in feed.transitions()


def test_a_row_that_commits_while_a_batch_runs_is_taken_by_the_next(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was not there when the batch took its rows, and its writer has ended when the batch looks at who still writes: were the floors
    to rise by that look, the row would lie under them for good."""
    beside, taker, slow = neighbor(feed, "a"), feed.runner.taker, connect("slow writer")
    slow.execute("BEGIN")
    feed.put(fix("a", 1), over=slow)
    feed.put(fix(beside, 0))
    assert feed.runner.run(ALL) == 1
    feed.put(fix(beside, 1))
    take_first = taker.take

    def take_then_commit(cursor: psycopg.Cursor[Any], shards: list[int]) -> list[take.QueueRow]:
        rows = take_first(cursor, shards)
        slow.execute("COMMIT")
        return rows

    with monkeypatch.context() as patch:
        patch.setattr(taker, "take", take_then_commit)
        assert feed.runner.run(ALL) == 1
    slow.close()
    assert feed.runner.run(ALL) == 1
    assert [row[0] for row in feed.stored()].count("a") == 1


def test_a_writer_has_its_number_before_its_rows_have_ids(feed: Feed) -> None:
    """What the floors stand on. Without the trigger of the queue the number is not there yet when the first row is made."""
    feed.connection.execute(
        "INSERT INTO ingest_inbound (shard, source_id, post_id, received_us, count, parcel) "
        "SELECT 5, %s, gen_random_uuid(), coalesce(pg_current_xact_id_if_assigned()::text::bigint, 0), 0, '' FROM generate_series(1, 2)",
        [feed.source_id],
    )
    assert all(number > 0 for (number,) in feed.rows("SELECT received_us FROM ingest_inbound"))


def test_floors_rise_when_all_that_ran_beside_has_ended(feed: Feed) -> None:
    """Floors spare each take the index entries of dead rows: they must not stay at zero."""
    for second in range(4):
        feed.put(fix("a", second))
        feed.run()
    shard = next(iter(feed.runner.taker.floors))
    assert feed.runner.taker.floors[shard] > 1


def row(shard: int, id: int) -> take.QueueRow:
    return take.QueueRow(shard, id, 1, b"", 0, 0, 1, b"")


def test_a_floor_stays_below_what_a_full_take_left() -> None:
    taker = take.Taker(looked_at={7}, rows_a_shard=2)
    taker.settle([row(7, 10), row(7, 20)], running=take.Running(oldest=5, own=6))
    taker.settle([row(7, 30)], running=take.Running(oldest=6, own=7))
    taker.settle([row(7, 12), row(7, 15)], running=take.Running(oldest=7, own=8))
    assert taker.floors == {7: 16}, "17 to 20 may still wait"
    for number in (8, 9):
        taker.settle([row(7, number + 9)], running=take.Running(oldest=number, own=number + 1))
    assert taker.floors == {7: 31}


def test_a_floor_rises_only_where_the_take_looked() -> None:
    taker = take.Taker(looked_at={7, 8}, rows_a_shard=9)
    taker.settle([row(7, 10), row(8, 11)], running=take.Running(oldest=5, own=6))
    taker.settle([row(7, 12)], running=take.Running(oldest=6, own=7))
    taker.looked_at = {7}
    taker.settle([row(7, 13)], running=take.Running(oldest=8, own=9))
    assert taker.floors == {7: 11}


def test_a_row_under_the_floors_is_found(feed: Feed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """It was written in a way that we do not know: with an id of its own."""
    for second in range(4):
        feed.send(fix("a", second))
    owner = Owner(feed.connection, feed.runner)
    shard = next(iter(feed.runner.taker.floors))
    feed.put(fix("a", 9))
    feed.connection.execute("UPDATE ingest_inbound SET id = 0")
    assert feed.runner.run(ALL) == 0
    monkeypatch.setattr(overlooked, "EVERY_S", 0.01)
    watch_below(owner)
    assert owner.overlooked.wait(10)
    owner.ended.set()
    assert f"({shard}, 0)" in caplog.text
    owner._mind_overlooked()
    assert feed.runner.run(ALL) == 1


def test_one_take_is_bounded(feed: Feed) -> None:
    feed.connection.execute(
        "INSERT INTO ingest_inbound (shard, source_id, post_id, received_us, count, parcel) "
        "SELECT 5, %s, gen_random_uuid(), 0, 1, '\\x9290'::bytea || '\\x90'::bytea FROM generate_series(1, 1500)",
        [feed.source_id],
    )
    with feed.connection.transaction(), feed.connection.cursor() as cursor:
        rows = feed.runner.taker.take(cursor, ALL)
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
