"""One system for all faults; the scenarios do not meet in it, since each brings its own tracks and calls."""

from collections.abc import Iterator

import pytest

from tests.faults.drill import Drill, drilling


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "run" in metafunc.fixturenames:
        metafunc.parametrize("run", range(1, 11 if metafunc.config.getoption("--long") else 2))


@pytest.fixture(scope="session")
def drill() -> Iterator[Drill]:
    with drilling() as running:
        yield running
