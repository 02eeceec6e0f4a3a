"""Time and place: what is believed, what is corrected, what is turned away."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.incidents.observations import BoardPoll, CallReport
from apps.ingest.adapters.contract import Rejected
from apps.ingest.clock_error import MESSAGES, ClockErrors
from apps.ingest.screening import NOWHERE, Bounds, Screen, judged
from apps.tracks.observations import Fix

S = 1_000_000
NOW = 1_780_000_000 * S
HOUSTON = Bounds((-96.0, 29.0, -95.0, 30.5), lambda lon, lat: -96 <= lon <= -95 and 29 <= lat <= 30.5)


def screen(at: int = NOW, errors: ClockErrors | None = None, bounds: Bounds = NOWHERE) -> Screen:
    return Screen(at, at - 90 * 86_400 * S, bounds, errors or ClockErrors())


def fix(observed_us: int = NOW, lon: float = -95.4, lat: float = 29.7, identity: str = "a") -> Fix:
    return Fix(identity, observed_us, lon, lat)


def reason(item: object) -> str | None:
    return item.reason if isinstance(item, Rejected) else None


@pytest.mark.parametrize(
    ("ahead_s", "expected"),
    [
        (0, None),
        (29.9, None),
        (30, None),
        (30.1, "future"),
        (86_400, "future"),
        (-31, None),
        (-89 * 86_400, None),
        (-91 * 86_400, "too_old"),
    ],
)
def test_a_fix_from_the_future_is_quarantined_and_an_old_one_is_turned_away(ahead_s: float, expected: str | None) -> None:
    item = judged([fix(NOW + int(ahead_s * S))], screen(), {})[0]
    assert reason(item) == expected
    assert isinstance(item, Fix) or item.quarantined == (expected == "future")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("lon", "lat", "expected"),
    [
        (-95.4, 29.7, None), (0, 0, "zero_island"), (0.00001, -0.00001, "zero_island"), (0, 51.5, None), (-95.4, 0, None),
        (math.nan, 29, "not_a_number"), (-95, math.inf, "not_a_number"), (-95, 90.1, "out_of_range"), (180.5, 29, "out_of_range"),
        (180, -90, None), (29.7, -95.4, "swapped_axes"), (29.7, 60, None),
    ],
)  # fmt: skip
def test_a_place_that_cannot_be_is_turned_away_with_its_word(lon: float, lat: float, expected: str | None) -> None:
    assert reason(judged([fix(lon=lon, lat=lat)], screen(bounds=HOUSTON), {})[0]) == expected


def messages(errors: ClockErrors, *, ahead_s: float, count: int, spread_s: float = 0.5, start: int = NOW) -> list[object]:
    """One fix a message, a second apart, from a clock that is `ahead_s` ahead and jitters."""
    found = []
    for at in range(count):
        received = start + at * S
        jitter = int(spread_s * S * (at % 5) / 5)
        found += judged([fix(received + int(ahead_s * S) - jitter)], screen(received, errors), {})
    return found


def test_a_steady_clock_error_is_corrected_and_flagged_after_20_messages() -> None:
    errors = ClockErrors()
    items = messages(errors, ahead_s=61, count=MESSAGES + 5)
    assert [reason(item) for item in items[: MESSAGES - 1]] == ["future"] * (MESSAGES - 1)
    for at, item in enumerate(items[MESSAGES - 1 :], MESSAGES - 1):
        assert isinstance(item, Fix)
        assert item.clock_offset_ms == pytest.approx(-61_000, abs=600)
        assert abs(item.observed_us - (NOW + at * S)) < S


def test_a_clock_that_is_behind_is_corrected_too() -> None:
    last = messages(ClockErrors(), ahead_s=-3600, count=MESSAGES)[-1]
    assert isinstance(last, Fix)
    assert last.clock_offset_ms == pytest.approx(3_600_000, abs=600)


def test_an_unsteady_clock_is_not_corrected() -> None:
    assert {reason(item) for item in messages(ClockErrors(), ahead_s=61, count=40, spread_s=12)} == {"future"}


def test_a_batch_from_a_tunnel_is_no_clock_error() -> None:
    errors = ClockErrors()
    backlog = [fix(NOW - (600 - at) * S) for at in range(60)]
    found = judged(backlog, screen(NOW, errors), {})
    assert [item.clock_offset_ms for item in found if isinstance(item, Fix)] == [0] * 60


def test_the_same_late_fix_sent_20_times_is_no_clock_error() -> None:
    errors = ClockErrors()
    for at in range(40):
        item = judged([fix(NOW - 120 * S)], screen(NOW + at * 1000, errors), {})[0]
        assert isinstance(item, Fix)
        assert (item.observed_us, item.clock_offset_ms) == (NOW - 120 * S, 0)


def test_a_clock_that_was_set_right_is_believed_again_and_forgotten() -> None:
    errors = ClockErrors()
    messages(errors, ahead_s=61, count=MESSAGES)
    right = messages(errors, ahead_s=0, count=MESSAGES + 1, start=NOW + 100 * S)
    assert all(isinstance(item, Fix) and item.clock_offset_ms == 0 for item in right)
    assert errors.devices == {}


def test_a_right_clock_is_not_even_remembered() -> None:
    errors = ClockErrors()
    messages(errors, ahead_s=0, count=5)
    assert errors.devices == {}


def test_calls_keep_their_place_in_line_whatever_their_age_but_not_from_the_future() -> None:
    old, future = (CallReport("H-1", 1, at, "active", lon=0.0, lat=0.0) for at in (NOW - 400 * 86_400 * S, NOW + 31 * S))
    notes: dict[int, str] = {}
    items = judged([old, future, BoardPoll(-1, NOW + 31 * S, ())], screen(), notes)
    assert isinstance(items[0], CallReport)
    assert (items[0].lon, items[0].lat) == (None, None)
    assert notes[0].startswith("unlocated")
    assert [reason(item) for item in items[1:]] == ["future", "future"]


coordinates = st.floats(allow_nan=True, allow_infinity=True)


@given(st.integers(NOW - 10**16, NOW + 10**16), coordinates, coordinates)
def test_whatever_comes_is_a_usable_fix_or_a_reject(observed_us: int, lon: float, lat: float) -> None:
    item = judged([fix(observed_us, lon, lat)], screen(bounds=HOUSTON), {})[0]
    assert isinstance(item, Rejected) or (
        abs(item.lon) <= 180 and abs(item.lat) <= 90 and (item.lon, item.lat) != (0, 0) and item.observed_us <= NOW + 30 * S  # type: ignore[union-attr]
    )
