"""A running demonstration for stories that go in at the front door and come out on the map."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from apps.accounts import epoch
from apps.accounts.models import Instance, InstanceKind
from rtcc_geo.environment import Origin
from tests.flows.story import Story
from tests.running import RunningSystem, migrated_database, orm_on


@pytest.fixture(scope="session")
def flow_database(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with migrated_database("flows") as name:
        with django_db_blocker.unblock(), orm_on(name):
            Instance.objects.create(kind=InstanceKind.DEMO)
        yield name


@pytest.fixture(scope="session")
def running(flow_database: str) -> Iterator[RunningSystem]:
    """Web and pipeline, running for all stories; each story has an agency of its own."""
    with RunningSystem(database=flow_database) as system:
        system.start("web", "pipeline")
        yield system


@contextmanager
def django_on(running: RunningSystem, database: str, settings: Settings, blocker: DjangoDbBlocker) -> Iterator[None]:
    """Point this process's Django at a running system: its database, Redis, address and state folder."""
    settings.STATE_FOLDER, settings.REDIS_URL = running.state, running.redis_url
    settings.ORIGIN = Origin(running.url, "localhost")
    settings.OWN_DOOR = running.url
    epoch.road = epoch.Road()
    with blocker.unblock(), orm_on(database):
        yield
    epoch.road = epoch.Road()


@pytest.fixture
def system(running: RunningSystem, flow_database: str, settings: Settings, django_db_blocker: DjangoDbBlocker) -> Iterator[RunningSystem]:
    with django_on(running, flow_database, settings, django_db_blocker):
        yield running


@pytest.fixture
def story(system: RunningSystem) -> Story:
    return Story(system)


@pytest.fixture(scope="session")
def stage_system() -> Iterator[tuple[RunningSystem, str]]:
    """A demonstration of its own for replays, since each of them empties it."""
    with migrated_database("stage") as database, RunningSystem(database=database) as system:
        system.manage("bootstrap", "--kind", "demo")
        system.start("web", "pipeline")
        yield system, database


@pytest.fixture
def theater(stage_system: tuple[RunningSystem, str], settings: Settings, django_db_blocker: DjangoDbBlocker) -> Iterator[RunningSystem]:
    with django_on(*stage_system, settings, django_db_blocker):
        yield stage_system[0]
