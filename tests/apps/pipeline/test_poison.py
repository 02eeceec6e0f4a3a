"""One observation at fault is found and set aside; all others stand."""

from uuid import uuid4

import psycopg
import pytest

from apps.ingest.queue import Observation
from apps.pipeline import running
from apps.pipeline.batch import Batch
from tests.apps.pipeline.feeding import QUEUE, START_US, Feed, call, fix

TOO_LONG = "x" * 60


@pytest.mark.parametrize("place", [0, 4, 8])
def test_the_one_at_fault_is_set_aside_with_its_reason(feed: Feed, place: int) -> None:
    """SQLSTATE 22001, found by bisection; without it the batch is repeated for ever or lost as a whole."""
    said: list[Observation] = [fix(f"v{number}", 0) for number in range(9)]
    said[place] = fix("bad", 0, kind=TOO_LONG)
    post = feed.send(*said)
    assert feed.outcomes(post) == {place: "set_aside"}
    assert len(feed.stored()) == 8
    detail, part = feed.rows("SELECT detail, part FROM ingest_reject WHERE reason = 'set_aside'")[0]
    assert "too long" in detail
    assert b'"bad"' in part


def test_several_at_fault_over_several_posts(feed: Feed) -> None:
    kinds = [[TOO_LONG if number == post else "car" for number in range(5)] for post in range(3)]
    posts = [feed.put(*(fix(f"p{post}-v{number}", 0, kind=kind) for number, kind in enumerate(kinds[post]))) for post in range(3)]
    feed.run()
    assert [feed.outcomes(post) for post in posts] == [{0: "set_aside"}, {1: "set_aside"}, {2: "set_aside"}]
    assert len(feed.stored()) == 12


def test_a_text_that_no_database_holds(feed: Feed) -> None:
    post = feed.send(fix("a", 0), fix("b", 0, name="nul \0"), call("H-1", 1, narrative="nul \0"), call("H-2", 1))
    assert feed.outcomes(post) == {1: "set_aside", 2: "set_aside"}
    assert feed.calls() == {"H-2": "waiting"}


def test_a_row_that_cannot_be_decoded_is_set_aside_whole(feed: Feed) -> None:
    feed.connection.execute(QUEUE, [3, feed.source_id, uuid4(), START_US, 1, b"\xc1 not msgpack"])
    feed.send(fix("a", 0))
    assert feed.rows("SELECT reason FROM ingest_reject") == [("set_aside",)]
    assert len(feed.stored()) == 1


def test_a_constraint_that_speaks_at_commit_is_found_too(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deferred foreign key fails at COMMIT only, and trials are rolled back. Without SET CONSTRAINTS no trial failed,
    and the process ended with NothingAtFault. Had the memory changed before COMMIT, the fix of `a` would come out late."""
    feed.send(fix("a", -1))
    decode, *rest = running.STAGES

    def with_broken_reference(batch: Batch) -> None:
        decode(batch)
        for said in batch.said:
            if said.identity == "bad":
                batch.cursor.execute(
                    "INSERT INTO units_assignment (unit_id, track_id, vehicle, crew, shift, beat, starts_at, recorded_at) "
                    "SELECT 999999, id, '', '[]', '', '', now(), now() FROM tracks_track WHERE identity = 'bad'"
                )

    monkeypatch.setattr(running, "STAGES", (with_broken_reference, *rest))
    post = feed.send(fix("a", 0), fix("bad", 0), fix("c", 0))
    assert feed.outcomes(post) == {1: "set_aside"}
    assert len(feed.stored()) == 3


def test_bounds_that_shrink_do_not_hide_the_one_at_fault(feed: Feed) -> None:
    """A take learns how large rows are. Had the trials taken anew, fewer rows would have come, and none at fault."""
    feed.send(fix("same", -1))
    feed.runner.taker.observations_a_row = 1.0
    for number in range(40):
        feed.put(*(fix("same", number * 100 + step) for step in range(100)))
    bad = feed.put(fix("same", 9_000, call_sign="\0"))
    feed.run()
    assert feed.outcomes(bad) == {0: "set_aside"}
    assert len(feed.stored()) == 4_001


def test_what_is_not_the_datas_fault_leaves_the_queue_as_it_was(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_space(batch: Batch) -> None:
        raise psycopg.errors.DiskFull("no space left")

    stages = running.STAGES
    monkeypatch.setattr(running, "STAGES", (*stages, out_of_space))
    post = feed.put(fix("a", 0))
    with pytest.raises(psycopg.errors.DiskFull):
        feed.run()
    monkeypatch.setattr(running, "STAGES", stages)
    assert feed.run() == 1
    assert feed.outcomes(post) == {}
    assert len(feed.stored()) == 1
