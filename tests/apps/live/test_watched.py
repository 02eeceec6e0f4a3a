"""Where the audit cannot be written, what is sensitive is not shown and the rest of the map goes on.

The web process runs as a role of its own that may do all that it needs; the owner takes it the right to add to the audit.
"""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from apps.accounts import epoch
from apps.accounts.models import Member
from apps.audit.models import Entry
from tests.apps.live.browser import HOUSTON, Browser, opened
from tests.apps.live.test_hub import shows
from tests.apps.live.town import WEST, Town
from tests.running import RunningSystem, migrated_database, orm_on
from tests.world import make_instance, signed_in

ROLE = "rtcc_web_of_a_test"
# As the owner, whom row security does not bind, but not the owner: rights can be taken from it.
ADMIT = f"""
    DROP ROLE IF EXISTS {ROLE};
    CREATE ROLE {ROLE} LOGIN BYPASSRLS IN ROLE pg_read_all_stats;
    GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE};
    GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {ROLE};
    GRANT rtcc_reader TO {ROLE};
"""
DISMISS = f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}"
PAST = "/api/layers/units/features?at=2026-03-01T12:00:00Z&known=2026-03-01T12:00:00Z&why=case+17"


def say(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def system(django_db_blocker: DjangoDbBlocker, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSystem]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with django_db_blocker.unblock(), migrated_database("watched") as database, orm_on(database):
        make_instance()
        say(ADMIT)
        try:
            web = "tests.apps.live.sensitive_web:application"
            with RunningSystem(database=database, extra={"RTCC_PGUSER": ROLE, "PGOPTIONS": ""}, web=web) as one:
                one.start("web")
                settings.REDIS_URL = one.redis_url
                epoch.road = epoch.Road()
                yield one
        finally:
            say(DISMISS)
            epoch.road = epoch.Road()


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as one:
        yield one


def cookie_of(member: Member) -> str:
    return str(signed_in(member).cookies["sessionid"].value)


async def browse(system: RunningSystem, stack: AsyncExitStack, cookie: str) -> Browser:
    browser = await stack.enter_async_context(opened(system.live_url, cookie=cookie, origin=system.url))
    await browser.until(lambda: browser.hello, what="hello")
    await browser.look(HOUSTON)
    return browser


def layers(browser: Browser) -> set[str]:
    return {layer["name"] for layer in browser.hello["layers"] if layer["agencies"]}


async def ask(system: RunningSystem, cookie: str, path: str) -> tuple[int, Any]:
    request = urllib.request.Request(system.url + path, headers={"Cookie": f"sessionid={cookie}"})

    def answer() -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=20) as found:
                return found.status, json.load(found)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    return await asyncio.to_thread(answer)


async def test_sensitive_reads_end_with_the_audit_and_the_map_goes_on(system: RunningSystem, stack: AsyncExitStack) -> None:
    town = Town()
    unit, member = town.unit(), town.member()
    cookie = cookie_of(member)
    before = await browse(system, stack, cookie)
    assert "boundaries" in layers(before)
    watched = Entry.objects.get(act="layer_watched")
    assert (watched.member_id, watched.road, watched.target, watched.agency_id) == (member.pk, "socket", "layer:boundaries", town.id)
    assert watched.address == "127.0.0.1"
    assert (await ask(system, cookie, PAST))[0] == 200
    read = Entry.objects.get(act="layer_read")
    assert (read.member_id, read.road, read.reason, read.count, read.agency_id) == (member.pk, "api", "case 17", 0, town.id)

    say(f"REVOKE INSERT ON audit_entry FROM {ROLE}")
    status, answer = await ask(system, cookie, PAST)
    assert (status, answer["error"], "features" in answer) == (503, "not_audited", False)
    assert (await ask(system, cookie, "/api/layers/calls/features"))[0] == 200
    assert (await ask(system, cookie, "/api/layers/units/features"))[0] == 200
    town.call("H-1")
    town.drive(unit, WEST)
    after = await browse(system, stack, cookie)
    for browser in (before, after):
        await browser.until(lambda browser=browser: shows(browser, town), what="calls and units as they are")
    assert (layers(before) - layers(after), len(layers(after))) == ({"boundaries"}, 3)
    assert ("boundaries", town.id) not in after.features

    say(f"GRANT INSERT ON audit_entry TO {ROLE}")
    assert "boundaries" in layers(await browse(system, stack, cookie))
    assert (await ask(system, cookie, PAST))[0] == 200


async def test_an_audit_that_hangs_holds_up_no_map(system: RunningSystem, stack: AsyncExitStack) -> None:
    """Somebody holds a lock on the audit's table: who is connected sees what happens, who comes gets all but what is sensitive."""
    town = Town()
    unit, cookie = town.unit(), cookie_of(town.member())
    before = await browse(system, stack, cookie)
    with transaction.atomic():
        say("LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE")
        after = await browse(system, stack, cookie)
        assert "boundaries" not in layers(after)
        assert (await ask(system, cookie, PAST))[0] == 503
    town.drive(unit, WEST)
    for browser in (before, after):
        await browser.until(lambda browser=browser: shows(browser, town), what="units as they are")
