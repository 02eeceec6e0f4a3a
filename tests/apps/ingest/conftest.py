"""The real front door, called as an ASGI application from a thread of its own, on a real database."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from apps.accounts.models import Agency, Instance
from apps.ingest import operations
from apps.ingest.door import Door
from apps.ingest.models import Source
from apps.ingest.queue import Parcel, decoder
from tests.running import migrated_database, orm_on

WRITTEN = (
    "ingest_inbound", "ingest_post", "ingest_reject", "ingest_outcome", "ingest_sourcehealth", "ingest_outbounduse", "ingest_sourcekey",
    "ingest_source", "accounts_apikey", "accounts_agency", "accounts_instance",
)  # fmt: skip
KILL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, %s)
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


class Caller:
    """Calls a Door without a network between; its loop runs in a thread, so tests stay plain."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.door = self.run(self.opened())

    async def opened(self) -> Door:
        return Door()

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def close(self) -> None:
        self.run(self.door.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def settle(self) -> None:
        """Do a round of housekeeping now."""
        self.run(self.door.house.round())

    def post(self, slug: str, body: bytes | dict[str, Any], *, key: str, **more: Any) -> Answer:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self.call("POST", f"/ingest/{slug}", raw, key=key, **more)

    def receipt(self, slug: str, receipt: str, *, key: str) -> Answer:
        return self.call("GET", f"/ingest/{slug}/receipts/{receipt}", key=key)

    def call(self, method: str, path: str, body: bytes = b"", **more: Any) -> Answer:
        return self.run(self.called(method, path, [body], **more))

    async def called(
        self, method: str, path: str, pieces: list[bytes], *, key: str | None = None, content_type: str = "application/json",
        query: bytes = b"", headers: dict[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        lines = {"content-type": content_type, **({"authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
        scope = {
            "type": "http", "method": method, "path": path, "query_string": query,
            "headers": [(name.encode(), value.encode()) for name, value in lines.items() if value],
        }  # fmt: skip
        coming = iter([{"type": "http.request", "body": piece, "more_body": at + 1 < len(pieces)} for at, piece in enumerate(pieces)])
        sent: list[Any] = []

        async def receive() -> Any:
            return next(coming)

        async def send(message: Any) -> None:
            sent.append(message)

        await self.door(scope, receive, send)
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], told, msgspec.json.decode(sent[1]["body"]))


@dataclass(frozen=True)
class Feed:
    """A source and its key."""

    source: Source
    key: str


@pytest.fixture(scope="session")
def ingest_database(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database of these tests' own, where commits are seen by other sessions."""
    with django_db_blocker.unblock(), migrated_database("ingest") as name:
        yield name


@pytest.fixture
def committed(ingest_database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Django on that database. What a test writes is deleted by name: emptying all tables takes seconds."""
    with django_db_blocker.unblock(), orm_on(ingest_database):
        yield
        with connection.cursor() as cursor:
            for table in WRITTEN:
                cursor.execute(f"DELETE FROM {table}")


@pytest.fixture
def agency(committed: None) -> Agency:
    Instance.objects.create(id=1, kind="operational")
    return Agency.objects.create(slug="metro", name="Metro")


@pytest.fixture
def fixes(agency: Agency) -> Feed:
    return make_feed(agency, "cars", "fixes")


@pytest.fixture
def caller(committed: None) -> Iterator[Caller]:
    caller = Caller()
    yield caller
    caller.close()


def make_feed(agency: Agency, slug: str, adapter: str, *, origin: str = "live", **settings: Any) -> Feed:
    source = operations.create_source(agency=agency, slug=slug, name=slug, adapter=adapter, origin=origin, settings=settings)
    return Feed(source, operations.issue_key(source, None))


def queued(receipt: str | None = None) -> list[tuple[int, Parcel]]:
    """Return what is in the queue, as the pipeline reads it: shard and parcel, in the queue's order."""
    with connection.cursor() as cursor:
        where, values = ("WHERE post_id = %s", [UUID(receipt)]) if receipt else ("", [])
        cursor.execute(f"SELECT shard, parcel FROM ingest_inbound {where} ORDER BY id", values)
        return [(shard, decoder.decode(bytes(parcel))) for shard, parcel in cursor.fetchall()]


def own_connection() -> psycopg.Connection[Any]:
    """A second session, to hold locks that the front door meets."""
    from apps.ingest.connections import connect

    return connect("test")


def kill_sessions(name: str) -> None:
    """End the database sessions whose application's name begins so."""
    with own_connection() as other:
        other.execute(KILL, [name])
