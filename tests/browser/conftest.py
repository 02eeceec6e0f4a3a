"""A running demonstration with its simulated patrol, and a real browser in front of it."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from tests.browser.desk import Desk
from tests.flows.conftest import django_on
from tests.flows.story import Story
from tests.running import RunningSystem, migrated_database

CHROMIUM = Path(os.environ.get("RTCC_CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox", "--disable-background-networking",
    "--disable-component-update", "--no-first-run", "--disable-sync", "--disable-quic", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
]  # fmt: skip
Login = tuple[str, str]
OpenDesk = Callable[..., Desk]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, drawing in software. Playwright keeps an event loop running, in which Django would refuse its database."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing and RTCC_CHROMIUM names no other")
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "yes"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()
        # Beside a running loop Django keeps its connection in the context, where asynchronous tests would find it later, still open
        # to a database of others.
        connections[DEFAULT_DB_ALIAS].close()
        del connections[DEFAULT_DB_ALIAS]
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def town_database() -> Iterator[str]:
    with migrated_database("browser") as name:
        yield name


@pytest.fixture(scope="package")
def town(town_database: str) -> Iterator[tuple[RunningSystem, Login]]:
    """Harbor City with its patrol, as `./rtcc up` makes it, and the login that it prints."""
    with RunningSystem(database=town_database) as system:
        system.start()
        told = json.loads(system.manage("bootstrap", "--kind", "demo").splitlines()[-1])
        system.start("web", "pipeline")
        system.start("patrol")
        yield system, (told["username"], told["password"])


@pytest.fixture
def system(
    town: tuple[RunningSystem, Login], town_database: str, settings: Settings, django_db_blocker: DjangoDbBlocker
) -> Iterator[RunningSystem]:
    with django_on(town[0], town_database, settings, django_db_blocker):
        yield town[0]


@pytest.fixture
def login(town: tuple[RunningSystem, Login]) -> Login:
    return town[1]


@pytest.fixture(scope="package")
def signed_in(browser: Browser, town: tuple[RunningSystem, Login]) -> Iterator[Desk]:
    """One window on Harbor City for many tests, since a map takes seconds to open where a processor draws it."""
    desk = Desk(browser, town[0])
    desk.sign_in(*town[1])
    desk.until_live()
    yield desk
    desk.close()


@pytest.fixture
def city(signed_in: Desk, system: RunningSystem) -> Iterator[Desk]:
    """Harbor City with a few dozen units and some calls, as the first administrator sees it."""
    signed_in.clear()
    signed_in.until_live()
    signed_in.until(lambda: len(signed_in.units()) >= 24 and len(signed_in.calls()) >= 4, what="units and calls", within_s=60)
    yield signed_in
    assert signed_in.problems == []


@pytest.fixture
def story(system: RunningSystem) -> Story:
    """An agency of this test alone, in the running demonstration."""
    return Story(system)


@pytest.fixture
def open_desk(browser: Browser, system: RunningSystem) -> Iterator[OpenDesk]:
    """Open windows in which people work; at the end each must have kept to its own machine and met no error."""
    desks: list[Desk] = []

    def open_one(**how: object) -> Desk:
        desks.append(Desk(browser, system, **how))  # type: ignore[arg-type]
        return desks[-1]

    yield open_one
    for desk in desks:
        desk.close()
    assert [problem for desk in desks for problem in desk.problems] == []
