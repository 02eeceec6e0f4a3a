from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.geo.clock import Clock, microseconds, moment

NOON = datetime(2021, 7, 4, 12, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_simulated_clock_runs_on_a_straight_line() -> None:
    clock = Clock(t0=NOON, real0=START, speed=600)
    assert clock.at(START) == NOON
    assert clock.at(START + timedelta(seconds=1)) == NOON + timedelta(minutes=10)


def test_the_real_clock_shows_real_time() -> None:
    assert Clock.real().at(START) == START


@given(st.datetimes(datetime(1970, 1, 1), datetime(2262, 1, 1)))
def test_microseconds_lose_nothing(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC)
    assert moment(microseconds(at)) == at
