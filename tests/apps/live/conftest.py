"""A running web process on a database and Redis of its own, and browsers on it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from apps.accounts import epoch
from apps.accounts.models import Member
from tests.apps.live.browser import HOUSTON, Browser, Open, opened
from tests.running import RunningSystem, migrated_database, orm_on
from tests.world import make_instance, signed_in


@pytest.fixture(scope="session")
def live_database(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with migrated_database("live") as name:
        with django_db_blocker.unblock(), orm_on(name):
            make_instance()
        yield name


@pytest.fixture(scope="session")
def running(live_database: str) -> Iterator[RunningSystem]:
    with RunningSystem(database=live_database) as system:
        system.start("web")
        yield system


@pytest.fixture
def system(
    running: RunningSystem, live_database: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[RunningSystem]:
    """The web process, with this process's Django on its database and Redis. Each test makes agencies of its own."""
    settings.REDIS_URL = running.redis_url
    epoch.road = epoch.Road()
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # these tests await browsers and write rows in one thread
    running.start("redis", "web")  # a test may have killed them
    with django_db_blocker.unblock(), orm_on(live_database):
        yield running
    epoch.road = epoch.Road()


@pytest.fixture
async def open_browser(system: RunningSystem) -> AsyncIterator[Open]:
    """Open a browser that is signed in as a member and looks at Houston."""
    async with AsyncExitStack() as stack:

        async def open_one(member: Member | None, *, view: Any = HOUSTON, **options: Any) -> Browser:
            cookie = signed_in(member).cookies["sessionid"].value if member else ""
            options = {"origin": system.url, **options}
            browser = await stack.enter_async_context(opened(system.live_url, cookie=cookie, **options))
            if view:
                await browser.until(lambda: browser.hello, what="hello")
                await browser.look(view)
            return browser

        yield open_one
