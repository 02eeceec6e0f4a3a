"""What goes into a batch comes out in history, fences and receipts, however the stream is cut."""

from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import Agency
from apps.geofences.models import Fence
from apps.geofences.operations import remove_fence
from apps.ingest.models import Source
from apps.pipeline import partitions
from apps.tracks.days import name_of
from apps.tracks.observations import Fix
from tests.apps.pipeline.conftest import make_square
from tests.apps.pipeline.feeding import START_US, Feed, call, fix, new_runner

OUTSIDE, INSIDE = -95.40, -95.36
numbers = count()


def test_a_fix_becomes_history_latest_and_a_transition(feed: Feed, square: Fence) -> None:
    feed.send(fix("a", 0, OUTSIDE), fix("a", 1, INSIDE), fix("a", 2, INSIDE), fix("a", 3, OUTSIDE), fix("b", 1, INSIDE))
    assert len(feed.stored()) == 5
    assert feed.latest() == [("a", 3, OUTSIDE, 29.76), ("b", 1, INSIDE, 29.76)]
    assert feed.transitions() == [("a", "square", "enter", 1, 1), ("b", "square", "enter", 1, 1), ("a", "square", "exit", 1, 3)]
    assert feed.present() == [("b", "square", 1)]


@pytest.mark.parametrize("cuts", [[4], [1, 1, 1, 1], [2, 2]])
def test_receipts_tell_what_was_repeated_late_or_in_conflict(feed: Feed, cuts: list[int]) -> None:
    said = [fix("a", 5), fix("a", 5), fix("a", 3), fix("a", 5, OUTSIDE)]
    outcomes = []
    while cuts:
        post = feed.send(*(now := said[: cuts[0]]))
        outcomes += [feed.outcomes(post).get(place, "stored") for place in range(len(now))]
        said, cuts = said[cuts[0] :], cuts[1:]
    assert outcomes == ["stored", "repeated", "late", "conflicting"]
    assert [row[1] for row in feed.stored()] == [3, 5]
    assert feed.rows("SELECT reason FROM ingest_reject") == [("conflicting",)]


steps = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 6), st.sampled_from([OUTSIDE, INSIDE, -95.345]), st.booleans()), min_size=1, max_size=14
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_it_does_not_matter_where_batches_are_cut(feed: Feed, square: Fence, steps: list[tuple[str, int, float, bool]]) -> None:
    whole, single, cut = (run_in_parts(feed, steps, how) for how in ("whole", "single", "cut"))
    assert whole == single == cut


def run_in_parts(feed: Feed, steps: list[tuple[str, int, float, bool]], how: str) -> list[object]:
    """Each way has tracks of its own. The flag of a step ends a batch after it."""
    prefix = f"{how}-{next(numbers)}-"
    outcomes: list[str] = []
    part: list[Fix] = []
    for track, second, lon, ends in steps:
        part.append(fix(prefix + track, second, lon))
        if how == "single" or (how == "cut" and ends):
            outcomes += send_part(feed, part)
            part = []
    outcomes += send_part(feed, part)
    return [outcomes, feed.stored(prefix), feed.latest(prefix), feed.transitions(prefix), feed.present(prefix)]


def send_part(feed: Feed, part: list[Fix]) -> list[str]:
    if not part:
        return []
    told = feed.outcomes(feed.send(*part))
    return [told.get(place, "stored") for place in range(len(part))]


def test_a_late_fix_does_not_cross_fences(feed: Feed, square: Fence) -> None:
    feed.send(fix("a", 5, OUTSIDE))
    feed.send(fix("a", 3, INSIDE))
    assert feed.transitions() == []


def test_a_fence_that_changed_since_it_was_loaded_is_loaded_again(feed: Feed, agency: Agency) -> None:
    """Without the comparison of revisions in publish_state the new fence sees no transition."""
    feed.send(fix("a", 0, OUTSIDE))
    make_square(agency, "new")
    feed.send(fix("a", 1, INSIDE))
    assert feed.transitions() == [("a", "new", "enter", 1, 1)]


def test_a_removed_fence_is_left_at_the_next_fix(feed: Feed, square: Fence) -> None:
    feed.send(fix("a", 0, INSIDE))
    remove_fence(fence=square, at=datetime.now(UTC))
    feed.send(fix("a", 1, INSIDE))
    assert [row[2] for row in feed.transitions()] == ["enter", "exit"]
    assert feed.present() == []


def test_memory_is_as_the_database_after_a_new_start(feed: Feed, square: Fence) -> None:
    feed.send(fix("a", 0, INSIDE, call_sign="4A12"), fix("b", 0, OUTSIDE))
    feed.connection.close()
    feed.runner = new_runner()
    told = feed.outcomes(feed.send(fix("a", 0, INSIDE), fix("a", -1, OUTSIDE), fix("a", 1, OUTSIDE, call_sign="4A12")))
    assert told == {0: "repeated", 1: "late"}
    assert [row[2] for row in feed.transitions()] == ["enter", "exit"]
    assert feed.rows("SELECT count(*) FROM units_assignment") == [(1,)]


def test_a_device_that_is_stored_but_not_remembered_is_read_and_not_made_again(feed: Feed) -> None:
    other = Feed(feed.source_id, new_runner())
    other.send(fix("a", 0, OUTSIDE), fix("b", 0))
    other.connection.close()
    post = feed.send(fix("a", 0, OUTSIDE), fix("a", 1, INSIDE), fix("c", 1))
    assert feed.outcomes(post) == {0: "repeated"}
    assert feed.rows("SELECT identity FROM tracks_track ORDER BY 1") == [("a",), ("b",), ("c",)]
    assert feed.latest("a") == [("", 1, INSIDE, 29.76)]


def test_the_partition_of_an_old_day_is_made_when_it_is_asked_for(feed: Feed) -> None:
    feed.send(fix("a", -30 * 86_400))
    assert len(feed.stored()) == 1


def test_a_partition_that_was_dropped_is_made_again(feed: Feed) -> None:
    """Without the look at the message in a trial, the fixes of that day are set aside as faulty."""
    feed.send(fix("a", 0))
    day = name_of(START_US // partitions.DAY_US)
    feed.connection.execute(f"DROP TABLE {day}")
    assert feed.outcomes(feed.send(fix("a", 1))) == {}
    assert [row[1] for row in feed.stored()] == [1]


def test_a_replaced_history_on_a_day_without_partition_makes_its_tracks_anew(feed: Feed) -> None:
    """A batch that found another generation and then had to be run again kept tracks whose rows were rolled back: its
    fixes had no device. Seen when the memory was loaded within the batch's own transaction."""
    feed.send(*(fix(f"old-{number}", 0) for number in range(3)))
    moving = "tracks_fix, tracks_position, tracks_track, units_assignment, geofences_presence, geofences_transition"
    feed.connection.execute(f"TRUNCATE {moving}")
    feed.connection.execute("UPDATE accounts_instance SET generation = generation + 1")
    feed.send(fix("new", -40 * 86_400))
    feed.send(fix("new", -40 * 86_400 + 1))
    assert [row[:2] for row in feed.stored()] == [("new", -40 * 86_400), ("new", -40 * 86_400 + 1)]


def test_what_a_source_sent_before_it_was_deleted_is_set_aside(feed: Feed, agency: Agency) -> None:
    """Without it the batch is repeated for ever."""
    gone = Source.objects.create(agency=agency, slug="gone", name="gone", adapter="fixes", origin="simulated")
    post = feed.put(fix("a", 0), source_id=gone.pk)
    gone.delete()
    feed.put(fix("a", 0))
    feed.run()
    assert feed.outcomes(post) == {0: "set_aside"}
    assert len(feed.stored()) == 1


def test_calls_and_fixes_of_one_post_go_their_ways(feed: Feed) -> None:
    post = feed.send(call("H-1", 1), fix("a", 0), call("H-1", 2, "active"), call("H-1", 3, "closed"), call("H-1", 2, "closed"))
    assert feed.outcomes(post) == {4: "conflicting"}
    assert feed.calls() == {"H-1": "closed"}
    assert feed.revisions("H-1") == [(1, "waiting"), (2, "active"), (3, "closed")]
