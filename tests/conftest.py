"""What every test shares: a guard against requests that leave the machine, recorded data, and flags."""

import os
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from pytest_django import DjangoDbBlocker
from xdist.scheduler import LoadScopeScheduling

from tests import lanes
from tests.running import copy_of_template, running

PBKDF2PasswordHasher.iterations = 1
"""The real hash takes most of a second on purpose. Processes that a test starts verify these, and make real ones."""
SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
LOOPBACK = ("127.", "::1", "localhost")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--recorded", action="store_true", help="also run tests on ../shared/data; missing data fails")
    parser.addoption("--long", action="store_true", help="also run fuzzing, full kill counts and soaks")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return lanes.LaneScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for flag in ("recorded", "long"):
        if not config.getoption(f"--{flag}"):
            for item in items:
                if item.get_closest_marker(flag):
                    item.add_marker(pytest.mark.skip(reason=f"not run: needs ./rtcc test --{flag}"))
    if lanes.worker():
        items.sort(key=lambda item: lanes.rank(item.nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the running systems logged to the report of a test that failed."""
    report = yield
    if report.failed:
        report.sections += [(f"Log of {name} ({system.url})", log) for system in running for name, log in system.logs() if log]
    return report


@pytest.fixture
def recorded() -> Path:
    """The folder of recorded data; its absence fails, since the test was asked for."""
    if not SHARED.is_dir():
        pytest.fail("no recorded data beside the project (../shared/data)")
    return SHARED


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The tests' database is a copy of the one that was migrated for all."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(servers_of_this_process: None, django_db_modify_db_settings: None) -> None:
    copy_of_template(connection.creation._get_test_db_name())


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """After a test that commits Django empties every table, which the audit's net refuses: here, as the owner, it is taken off."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in ("audit_entry", "audit_seal", "audit_anchor", "audit_review"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_not_emptied")


@pytest.fixture(autouse=True, scope="session")
def servers_of_this_process() -> None:
    """Where several processes run tests, each has a PostgreSQL and a Redis of its own."""
    folder = lanes.sockets()
    os.environ["RTCC_PGHOST"] = settings.DATABASES["default"]["HOST"] = folder
    os.environ["RTCC_REDIS_URL"] = settings.REDIS_URL = f"unix://{folder}/redis.sock?db=0"


@pytest.fixture(autouse=True, scope="session")
def nothing_leaves_the_machine() -> None:
    """Fail any connection that is neither a unix socket nor loopback."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(LOOPBACK):  # type: ignore[index]
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)  # type: ignore[arg-type]

    socket.socket.connect = guarded  # type: ignore[method-assign,assignment]


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rtcc_geo.settings")
