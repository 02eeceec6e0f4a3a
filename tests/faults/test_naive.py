"""The oracle sees: a build that acknowledges before it commits, polls by serial id and tells a group fails it."""

from collections.abc import Iterator

import pytest

from tests.faults.drill import Drill
from tests.faults.naive.system import drilling_the_naive
from tests.faults.scenarios import SCENARIOS

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def naive() -> Iterator[Drill]:
    with drilling_the_naive() as running:
        yield running


def test_nobody_sees_it_while_all_is_calm(naive: Drill) -> None:
    verdict = naive.run(SCENARIOS["calm"]).verdict
    assert verdict.is_clean, verdict.told


def wrong(naive: Drill, scenario: str, column: str) -> bool:
    """Whether the oracle finds it in at most five drills: a kill does its harm only when it falls between two steps of the build."""
    return any(getattr(naive.run(SCENARIOS[scenario]).verdict, column) > 0 for _ in range(5))


def test_a_killed_web_process_loses_what_it_acknowledged(naive: Drill) -> None:
    assert wrong(naive, "kill-web", "lost")


def test_a_killed_worker_does_things_twice(naive: Drill) -> None:
    assert wrong(naive, "kill-pipeline", "twice")


def test_a_dead_redis_leaves_screens_wrong(naive: Drill) -> None:
    assert wrong(naive, "kill-redis", "clients_wrong")
