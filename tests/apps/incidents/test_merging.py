"""A call is what all statements about it, in the source's own order, add up to."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.incidents.merging import UNRANKED, CallFacts, close, merge, says_the_same
from apps.incidents.observations import CallReport

RANKS = {"1": 0, "2": 3}
FIRST = CallReport(
    "H-1", 1, 100, "waiting", lon=-95.0, lat=29.0, type="Alarm", priority="2", opened_us=90, address="1 Main St", units=("4A12",)
)

reports = st.builds(
    CallReport,
    number=st.just("H-1"),
    sequence=st.integers(1, 9),
    observed_us=st.integers(1, 999),
    state=st.sampled_from(["waiting", "active", "closed"]),
    lon=st.none() | st.floats(-180, 180),
    lat=st.none() | st.floats(-90, 90),
    type=st.none() | st.text(max_size=5),
    priority=st.none() | st.sampled_from(["1", "2", "?"]),
    opened_us=st.none() | st.integers(1, 99),
    narrative=st.none() | st.text(max_size=5),
    units=st.none() | st.tuples(st.text(max_size=3)),
)


def merged(report: CallReport, before: CallFacts | None = None) -> CallFacts:
    return merge(report, before=before, received_us=500, ranks=RANKS)


def test_the_first_report_makes_the_call() -> None:
    call = merged(FIRST)
    assert (call.state, call.type, call.rank, call.opened_us, call.units) == ("waiting", "Alarm", 3, 90, ("4A12",))
    assert (call.lon, call.lat, call.closed_us, call.received_us) == (-95.0, 29.0, None, 500)


def test_what_a_report_does_not_mention_stays() -> None:
    call = merged(CallReport("H-1", 2, 200, "active"), merged(FIRST))
    assert call == replace(merged(FIRST), sequence=2, observed_us=200, state="active")


def test_without_an_opening_time_a_call_opens_when_it_is_first_seen() -> None:
    assert merged(CallReport("H-1", 1, 100, "waiting")).opened_us == 100


def test_half_a_place_is_no_place() -> None:
    assert (merged(CallReport("H-1", 1, 100, "waiting", lon=-95.0)).lon, merged(CallReport("H-1", 1, 100, "waiting")).lat) == (None, None)
    assert merged(CallReport("H-1", 2, 200, "active", lat=1.0), merged(FIRST)).lat == 29.0


def test_a_closed_call_that_is_opened_again_has_no_closing_time() -> None:
    closed = merged(CallReport("H-1", 2, 200, "closed"), merged(FIRST))
    assert closed.closed_us == 200
    assert merged(CallReport("H-1", 3, 300, "active"), closed).closed_us is None


def test_a_priority_that_the_agency_does_not_know_ranks_last() -> None:
    assert merged(CallReport("H-1", 1, 100, "waiting", priority="?")).rank == UNRANKED


def test_a_board_that_no_longer_lists_a_call_closes_it() -> None:
    ended = close(merged(FIRST), sequence=900, observed_us=900, received_us=901)
    assert (ended.state, ended.closed_us, ended.sequence, ended.type) == ("closed", 900, 900, "Alarm")


@given(reports)
def test_a_report_says_the_same_as_what_it_led_to(report: CallReport) -> None:
    located = report.lon is not None and report.lat is not None
    if located or (report.lon is None and report.lat is None):
        assert says_the_same(report, merged(report))


@given(reports, reports)
def test_a_later_report_stands_in_every_field_that_it_carries(first: CallReport, second: CallReport) -> None:
    call = merged(second, merged(first))
    for name in ("type", "priority", "narrative", "opened_us", "units"):
        said = getattr(second, name)
        assert said is None or getattr(call, name) == said
    assert (call.state, call.sequence, call.observed_us) == (second.state, second.sequence, second.observed_us)
    assert (call.closed_us is not None) == (second.state == "closed")


@pytest.mark.parametrize(("field", "value"), [("state", "active"), ("type", "Fire"), ("units", ()), ("lon", -95.1), ("narrative", "more")])
def test_another_word_in_any_field_is_not_the_same(field: str, value: object) -> None:
    assert says_the_same(FIRST, merged(FIRST))
    assert not says_the_same(msgspec.structs.replace(FIRST, **{field: value}), merged(FIRST))
