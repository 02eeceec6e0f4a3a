"""Statements about calls: revised in the source's order, told apart when they repeat or differ, ended by boards."""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import Agency
from apps.geo.shards import SHARDS, shard_of
from apps.incidents.observations import BoardPoll, CallReport
from apps.ingest.models import Source
from tests import world
from tests.apps.pipeline.feeding import SECOND_US, START_US, Feed, call

numbers = count()


@pytest.fixture
def board(feed: Feed, agency: Agency) -> Feed:
    """The same feed, from a source that lists what is open at each poll."""
    feed.source_id = world.make_source(agency, "board", adapter="arcgis", origin="simulated").pk
    feed.run()
    feed.runner.reload()
    return feed


def poll(second: int, *present: str) -> list[CallReport | BoardPoll]:
    """What one answer of a board becomes: a report for each call, then one list for each shard, in one post."""
    us = START_US + second * SECOND_US
    reports = [CallReport(number, us, us, "active", type="Alarm") for number in present]
    return [*reports, *(BoardPoll(shard, us, present) for shard in range(SHARDS))]


def test_receipts_tell_what_was_late_repeated_or_in_conflict(feed: Feed) -> None:
    post = feed.send(call("H-1", 5, "active", type="Alarm"))
    assert feed.outcomes(post) == {}
    post = feed.send(call("H-1", 5, "active"), call("H-1", 3), call("H-1", 5, "closed"), call("H-1", 3))
    assert feed.outcomes(post) == {0: "repeated", 1: "late", 2: "conflicting", 3: "repeated"}
    assert feed.revisions("H-1") == [(3, "waiting"), (5, "active")]
    assert feed.calls() == {"H-1": "active"}
    assert feed.rows("SELECT reason FROM ingest_reject") == [("conflicting",)]


def test_a_call_stays_with_its_agency_when_its_source_is_given_to_another(feed: Feed, agency: Agency) -> None:
    """Counted in the other agency's revisions, its end would never be read by those who still show it."""
    feed.send(call("H-1", 1))
    feed.send(call("H-1", 2, "active"))
    Source.objects.filter(pk=feed.source_id).update(agency=world.make_agency("elsewhere"))
    feed.runner.reload()
    feed.send(call("H-1", 3, "closed"))
    (head,) = feed.rows("SELECT rev FROM layers_layerrevision WHERE layer = 'calls' AND agency_id = %s", agency.pk)
    assert feed.rows("SELECT agency_id, state, rev FROM incidents_call") == [(agency.pk, "closed", *head)]


def test_a_late_statement_does_not_open_a_closed_call(feed: Feed) -> None:
    feed.send(call("H-1", 5, "closed"))
    feed.send(call("H-1", 4, "active"))
    assert feed.calls() == {"H-1": "closed"}
    assert feed.revisions("H-1") == [(4, "active"), (5, "closed")]


statements = st.lists(
    st.tuples(
        st.sampled_from(["H-1", "H-2"]), st.integers(1, 5), st.sampled_from(["waiting", "active", "closed"]),
        st.sampled_from([None, "Alarm", "Fire"]), st.booleans(),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=statements)
def test_it_does_not_matter_where_batches_are_cut(feed: Feed, said: list[tuple[str, int, str, str | None, bool]]) -> None:
    whole, single, cut = (in_parts(feed, said, how) for how in ("whole", "single", "cut"))
    assert whole == single == cut


def in_parts(feed: Feed, said: list[tuple[str, int, str, str | None, bool]], how: str) -> list[object]:
    prefix = f"{how}-{next(numbers)}-"
    outcomes: list[str] = []
    part: list[CallReport] = []
    for number, sequence, state, kind, ends in said:
        part.append(call(prefix + number, sequence, state, type=kind))
        if how == "single" or (how == "cut" and ends):
            outcomes += told(feed, part)
            part = []
    outcomes += told(feed, part)
    query = """
        SELECT substr(c.number, length(%s) + 1), r.sequence, r.state, r.type, c.sequence, c.state, c.type
        FROM incidents_callrevision r JOIN incidents_call c ON c.id = r.call_id WHERE c.number LIKE %s ORDER BY 1, 2
    """
    return [outcomes, feed.rows(query, prefix, f"{prefix}%")]


def told(feed: Feed, part: list[CallReport]) -> list[str]:
    if not part:
        return []
    outcomes = feed.outcomes(feed.send(*part))
    return [outcomes.get(place, "stored") for place in range(len(part))]


def test_a_board_that_no_longer_lists_a_call_closes_it(board: Feed) -> None:
    board.send(*poll(0, "H-1", "H-2"))
    assert board.calls() == {"H-1": "active", "H-2": "active"}
    board.send(*poll(60, "H-2"))
    assert board.calls() == {"H-1": "closed", "H-2": "active"}
    assert [state for _, state in board.revisions("H-1")] == ["active", "closed"]


def test_a_poll_that_repeats_itself_leaves_no_revision(board: Feed) -> None:
    board.send(*poll(0, "H-1"))
    post = board.send(*poll(60, "H-1"))
    assert board.outcomes(post) == {0: "ignored"}
    assert len(board.revisions("H-1")) == 1


def test_a_call_that_comes_back_is_open_again(board: Feed) -> None:
    for second, present in ((0, ["H-1"]), (60, []), (120, ["H-1"])):
        board.send(*poll(second, *present))
    assert board.calls() == {"H-1": "active"}
    assert [state for _, state in board.revisions("H-1")] == ["active", "closed", "active"]


def test_polls_in_one_batch_do_what_they_do_one_by_one(board: Feed) -> None:
    for second, present in ((0, ["H-1", "H-2"]), (60, ["H-2"]), (120, [])):
        board.put(*poll(second, *present))
    board.run()
    assert board.calls() == {"H-1": "closed", "H-2": "closed"}
    assert board.rows("SELECT number, extract(epoch FROM closed_at)::float8 - %s FROM incidents_call ORDER BY 1", START_US / 1e6) == [
        ("H-1", 60),
        ("H-2", 120),
    ]


def test_an_old_poll_closes_nothing_that_was_seen_since(board: Feed) -> None:
    board.send(*poll(60, "H-1"))
    board.send(*poll(0))
    assert board.calls() == {"H-1": "active"}


def test_a_board_closes_only_its_own_calls(board: Feed, agency: Agency) -> None:
    other = world.make_source(agency, "other", adapter="calls_json", origin="simulated")
    board.put(call("X-1", 1), source_id=other.pk)
    board.send(*poll(60))
    assert board.calls() == {"X-1": "waiting"}


def test_every_call_lies_in_the_shard_of_its_list(board: Feed) -> None:
    """A list is cut by shard as the calls are; otherwise a list would close calls of another owner, or none."""
    board.send(*poll(0, *(f"H-{number}" for number in range(100))))
    rows = board.rows("SELECT number, shard FROM incidents_call")
    assert all(shard == shard_of(f"{board.source_id}:{number}") for number, shard in rows)
    board.send(*poll(60))
    assert set(board.calls().values()) == {"closed"}
