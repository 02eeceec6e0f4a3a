"""The simulated patrol: the same town every time, plausible speeds, calls that are opened, attended and closed."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from apps.demo import patrol
from apps.demo.patrol import Patrol
from apps.demo.plane import METERS_A_DEGREE, METERS_A_DEGREE_EAST

START = datetime(2026, 11, 22, 18, tzinfo=UTC)
Sent = tuple[datetime, list[dict[str, Any]], list[dict[str, Any]]]


def drive(state: Patrol, steps: int) -> list[Sent]:
    sent = []
    first = datetime.fromtimestamp(state.at_us / 1e6, UTC)
    for number in range(1, steps + 1):
        at = first + timedelta(seconds=number)
        sent.append((at, *patrol.advance(state, at=at)))
    return sent


@pytest.fixture(scope="module")
def half_an_hour() -> list[Sent]:
    return drive(patrol.start(START), 1800)


def test_it_is_the_same_every_time() -> None:
    assert drive(patrol.start(START), 120) == drive(patrol.start(START), 120)


def test_another_seed_is_another_town_day() -> None:
    one, two = patrol.start(START), patrol.start(START, seed=2)
    assert [vehicle.crossing for vehicle in one.vehicles] != [vehicle.crossing for vehicle in two.vehicles]


def test_it_goes_on_where_it_was_after_a_restart() -> None:
    state = patrol.start(START)
    drive(state, 60)
    remembered = msgspec.json.decode(msgspec.json.encode(state), type=Patrol)
    assert drive(remembered, 60) == drive(state, 60)


def test_it_has_about_three_dozen_units_of_four_kinds() -> None:
    kinds = Counter(vehicle.kind for vehicle in patrol.start(START).vehicles)
    assert 30 <= sum(kinds.values()) <= 40
    assert set(kinds) == {"car", "foot", "motorcycle", "helicopter"}
    assert len({vehicle.call_sign for vehicle in patrol.start(START).vehicles}) == sum(kinds.values())


def test_nothing_moves_faster_than_it_can(half_an_hour: list[Sent]) -> None:
    limits = {"car": 40.0, "motorcycle": 40.0, "foot": 4.5, "helicopter": 45.0}
    last: dict[str, tuple[datetime, float, float]] = {}
    for at, fixes, _ in half_an_hour:
        for fix in fixes:
            if fix["id"] in last:
                before, lon, lat = last[fix["id"]]
                moved = np.hypot((fix["lon"] - lon) * METERS_A_DEGREE_EAST, (fix["lat"] - lat) * METERS_A_DEGREE)
                assert moved / (at - before).total_seconds() < limits[fix["kind"]], fix
            last[fix["id"]] = (at, fix["lon"], fix["lat"])
    assert len(last) > 30


def test_units_report_every_two_seconds_but_for_some_that_fall_silent(half_an_hour: list[Sent]) -> None:
    times: dict[str, list[datetime]] = {}
    for at, fixes, _ in half_an_hour:
        for fix in fixes:
            times.setdefault(fix["id"], []).append(at)
    gaps = [(b - a).total_seconds() for seen in times.values() for a, b in itertools.pairwise(seen)]
    assert Counter(gaps).most_common(1)[0][0] == 2
    assert 15 < max(gaps) < 130


def test_calls_are_opened_attended_and_closed(half_an_hour: list[Sent]) -> None:
    states: dict[str, list[str]] = {}
    for _, _, calls in half_an_hour:
        for call in calls:
            states.setdefault(call["number"], []).append(call["state"])
    assert 30 < len(states) < 80
    ended = [seen for seen in states.values() if seen[-1] == "closed"]
    assert len(ended) > 20
    assert all(seen[0] == "waiting" and "active" in seen for seen in ended)


def test_statuses_go_with_the_calls(half_an_hour: list[Sent]) -> None:
    seen = Counter(fix["status"] for _, fixes, _ in half_an_hour for fix in fixes)
    assert {"AVL", "DSP", "ENR", "ONS"} == set(seen)
    assert seen["AVL"] > seen["ENR"] > seen["DSP"]


def test_some_calls_start_without_a_place_and_get_one_later(half_an_hour: list[Sent]) -> None:
    reports: dict[str, list[bool]] = {}
    for _, _, calls in half_an_hour:
        for call in calls:
            reports.setdefault(call["number"], []).append("lon" in call)
    late = [seen for seen in reports.values() if not seen[0] and len(seen) > 1]
    assert late
    assert all(seen[-1] for seen in late)


def test_a_long_gap_does_not_make_units_jump() -> None:
    state = patrol.start(START)
    drive(state, 30)
    before = [(vehicle.x, vehicle.y) for vehicle in state.vehicles]
    patrol.advance(state, at=START + timedelta(hours=3))
    moved = np.hypot(*(np.array([(vehicle.x, vehicle.y) for vehicle in state.vehicles]) - before).T)
    assert moved.max() < 5 * 45
