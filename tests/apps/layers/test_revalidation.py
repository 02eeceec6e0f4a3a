"""Whether a tile still holds, asked before Django: on a real database where commits are seen, after Django has answered once."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from apps.accounts import tokens
from apps.accounts.models import Agency, Member, MemberSession
from apps.geo.tile_address import FINEST, column_row
from apps.ingest.models import Source
from apps.layers import revalidation
from apps.layers.revalidation import Revalidation
from rtcc_geo.entrance import Entrance
from tests.running import migrated_database, orm_on
from tests.world import NOON, make_agency, make_instance, make_member, make_source, minutes, say, signed_in

HOUSTON, AWAY = (-95.36, 29.76), (2.35, 48.85)
COLUMN, ROW = (at >> FINEST - 14 for at in column_row(*HOUSTON))
TILE, BESIDE = (f"/api/layers/calls/tiles/14/{COLUMN}/{row}.mvt" for row in (ROW, ROW + 1))
numbers = count()


@pytest.fixture(scope="session")
def tile_database(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with migrated_database("tiles") as name:
        with django_db_blocker.unblock(), orm_on(name):
            make_instance()
        yield name


@pytest.fixture
def agency(tile_database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Agency]:
    """Each test has an agency of its own; what Django left in this process is forgotten."""
    revalidation.memory.known.clear()
    revalidation.memory.passes.clear()
    with django_db_blocker.unblock(), orm_on(tile_database):
        yield make_agency(f"agency-{next(numbers)}")


@pytest.fixture
def cad(agency: Agency) -> Source:
    return make_source(agency, f"cad-{agency.slug}")


@pytest.fixture
def member(agency: Agency) -> Member:
    return make_member(agency, username=f"dana-{agency.slug}")


class Asking:
    """The bare road, with an event loop of its own, for one asker who knows a tag."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.road = Revalidation()

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def still(self, tag: str, *, query: str = "", path: str = TILE, **headers: str) -> bool:
        return self.run(self.road.unchanged(scope(tag, query=query, path=path, **headers))) == tag

    def close(self) -> None:
        self.run(self.road.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def scope(tag: str, *, query: str = "", path: str = TILE, method: str = "GET", **headers: str) -> dict[str, Any]:
    lines = [(b"if-none-match", tag.encode()), *((name.encode(), value.encode()) for name, value in headers.items())]
    return {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": lines}


@pytest.fixture
def bare(agency: Agency) -> Iterator[Asking]:
    asking = Asking()
    yield asking
    asking.close()


def cookie(client: Client) -> str:
    return f"csrftoken=x; {settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def seen(client: Client, query: str = "") -> str:
    """Let Django answer once, and return the tag."""
    return str(client.get(f"{TILE}?{query}" if query else TILE)["ETag"])


def test_what_django_answered_is_known_until_it_changes(bare: Asking, member: Member, cad: Source) -> None:
    client = signed_in(member)
    say(cad, "H-1", at=NOON, place=HOUSTON)
    tag = seen(client)
    assert bare.still(tag, cookie=cookie(client))
    assert bare.still(f"W/{tag}"[2:], cookie=cookie(client))
    say(cad, "H-2", at=NOON, place=AWAY)
    assert bare.still(tag, cookie=cookie(client)), "that was elsewhere"
    say(cad, "H-1", at=NOON + minutes(1), place=HOUSTON, state="closed")
    assert not bare.still(tag, cookie=cookie(client))
    assert bare.still(seen(client), cookie=cookie(client))


def test_an_empty_tile_is_known_until_something_comes(bare: Asking, member: Member, cad: Source) -> None:
    client = signed_in(member)
    tag = seen(client)
    assert bare.still(tag, cookie=cookie(client))
    say(cad, "H-1", at=NOON, place=HOUSTON)
    assert not bare.still(tag, cookie=cookie(client))


def test_who_is_not_known_here_is_left_to_django(bare: Asking, member: Member, agency: Agency) -> None:
    client, other = signed_in(member), signed_in(make_member(agency, username=f"other-{agency.slug}"))
    tag = seen(client)
    assert not bare.still(tag, cookie=cookie(other)), "another asker with the same rights was not seen yet"
    assert not bare.still(tag)
    assert not bare.still(tag, cookie="sessionid=nonsense")
    assert not bare.still(tag, cookie=cookie(client), authorization="Bearer rtccv_nonsense")
    assert not bare.still(tag, cookie=cookie(client), query="rank=1")
    assert not bare.still(tag, cookie=cookie(client), query="token=nonsense")
    assert not bare.still(tag, cookie=cookie(client), path=BESIDE)
    assert not bare.still("", cookie=cookie(client))
    assert bare.run(bare.road.unchanged(scope(tag, method="POST", cookie=cookie(client)))) is None
    assert bare.still(tag, cookie=cookie(client))


def test_who_signed_out_is_not_answered(bare: Asking, member: Member) -> None:
    client = signed_in(member)
    tag, known = seen(client), cookie(client)
    client.logout()
    assert not bare.still(tag, cookie=known)


def test_a_session_that_expired_is_not_answered(bare: Asking, member: Member) -> None:
    client = signed_in(member)
    tag = seen(client)
    MemberSession.objects.filter(session_key=client.session.session_key).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not bare.still(tag, cookie=cookie(client))


def test_other_rights_are_left_to_django(bare: Asking, member: Member, agency: Agency) -> None:
    client = signed_in(member)
    tag = seen(client)
    agency.held_grants.filter(layer="calls").delete()
    assert not bare.still(tag, cookie=cookie(client))
    assert client.get(TILE, headers={"If-None-Match": tag}).status_code == 404


def test_a_member_who_may_not_sign_in_any_more_is_not_answered(bare: Asking, member: Member) -> None:
    client = signed_in(member)
    tag = seen(client)
    Member.objects.filter(pk=member.pk).update(is_active=False)
    assert not bare.still(tag, cookie=cookie(client))


def test_a_token_is_looked_at_each_time(bare: Asking, member: Member) -> None:
    at = timezone.now()
    made = tokens.make(member=member, name="QGIS", expires_at=at + timedelta(days=1), at=at)
    in_address = seen(Client(), f"token={made.text}")
    in_header = str(Client().get(TILE, headers={"Authorization": f"Bearer {made.text}"})["ETag"])
    assert bare.still(in_address, query=f"token={made.text}")
    assert bare.still(in_header, authorization=f"Bearer {made.text}")
    tokens.revoke(token=made.token, at=at)
    assert not bare.still(in_address, query=f"token={made.text}")
    assert not bare.still(in_header, authorization=f"Bearer {made.text}")


def test_a_token_of_a_member_who_may_not_sign_in_is_dead(bare: Asking, member: Member) -> None:
    at = timezone.now()
    text = tokens.make(member=member, name="QGIS", expires_at=at + timedelta(days=1), at=at).text
    tag = seen(Client(), f"token={text}")
    Member.objects.filter(pk=member.pk).update(is_active=False)
    assert not bare.still(tag, query=f"token={text}")


def test_django_sees_every_asker_again_within_seconds(bare: Asking, member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only Django looks at (an idle desk, a sign-in that is too old) is never older than that."""
    client = signed_in(member)
    tag = seen(client)
    later = revalidation.time.monotonic() + revalidation.PASS_S
    monkeypatch.setattr(revalidation.time, "monotonic", lambda: later + 0.1)
    assert not bare.still(tag, cookie=cookie(client))
    assert seen(client) == tag
    assert bare.still(tag, cookie=cookie(client))


def test_without_a_database_django_answers_and_later_the_bare_road_again(bare: Asking, member: Member) -> None:
    client = signed_in(member)
    tag = seen(client)
    assert bare.still(tag, cookie=cookie(client))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rtcc tiles'")
    assert not bare.still(tag, cookie=cookie(client))
    bare.road.away_until = 0.0
    assert bare.still(tag, cookie=cookie(client))


def test_many_who_ask_at_once_are_each_answered_their_own(bare: Asking, member: Member, cad: Source) -> None:
    client = signed_in(member)
    tag, other = seen(client), seen(client, "rank=1")
    asked = [scope(tag if number % 2 else other, query="" if number % 2 else "rank=1", cookie=cookie(client)) for number in range(50)]
    wrong = scope('"another"', cookie=cookie(client))

    async def all_at_once() -> list[str | None]:
        return await asyncio.gather(*(bare.road.unchanged(one) for one in [*asked, wrong]))

    assert bare.run(all_at_once()) == [tag if number % 2 else other for number in range(50)] + [None]


def test_the_entrance_answers_304_and_leaves_the_rest_to_django(bare: Asking, member: Member) -> None:
    client = signed_in(member)
    tag, sent, passed = seen(client), [], []

    async def pages(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["path"])

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    async def ask(tag: str) -> None:
        await entrance.http(scope(tag, cookie=cookie(client)), receive, send)

    async def made() -> Entrance:
        return Entrance(pages)

    entrance = bare.run(made())
    bare.run(ask(tag))
    headers = dict(sent[0]["headers"])
    assert (sent[0]["status"], headers[b"etag"], headers[b"cache-control"]) == (304, tag.encode(), b"private, no-cache")
    assert (sent[1]["body"], passed) == (b"", [])
    bare.run(ask('"another"'))
    assert passed == [TILE]
    bare.run(entrance.tiles.close())
