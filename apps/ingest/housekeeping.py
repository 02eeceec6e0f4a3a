"""What the front door and the pollers do beside posts: keep what it knows fresh, write health, look at the queue, read receipts."""

import asyncio
import logging
import time
from typing import Any
from uuid import UUID

import psycopg

from apps.ingest import connections, receipts
from apps.ingest.answers import Answer
from apps.ingest.health import Healths
from apps.ingest.known import Known, Sender

log = logging.getLogger(__name__)
EVERY_S = 1.0
STALE_S = 5.0
PATIENCE_S = 3.0
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, OSError)


class Housekeeping:
    """One connection of its own, used by one job at a time and opened again whenever it is lost."""

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
        self.known = Known()
        self.healths = Healths()
        self.connection: psycopg.AsyncConnection[Any] | None = None
        self.one_at_a_time = asyncio.Lock()
        self.missed: dict[bytes, float] = {}

    async def run(self) -> None:
        """Forever, each second."""
        try:
            while True:
                await self.round()
                await asyncio.sleep(EVERY_S)
        finally:
            await self.disconnect()

    async def round(self) -> None:
        """Do each job; one that fails leaves the others and the next round alone."""
        for job in (self.refresh, self.probe, self.write_health):
            try:
                async with asyncio.timeout(PATIENCE_S), self.one_at_a_time:
                    await job(await self.connected())
            except psycopg.errors.LockNotAvailable:
                log.info("a row is locked; %s waits for the next round", job.__name__)
            except AWAY as error:
                log.warning("%s failed: %s", job.__name__, error)
                await self.disconnect()
                return

    async def refresh(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await self.known.refresh(connection, at=time.monotonic())

    async def probe(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await self.known.probe_queue(connection)

    async def write_health(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await self.healths.write(connection)

    async def connected(self) -> psycopg.AsyncConnection[Any]:
        if self.connection is None or self.connection.closed:
            self.known.forget_queue()
            self.connection = await connections.connect_async(f"{self.purpose}, housekeeping")
            await self.connection.execute("SET lock_timeout = '200ms'")
        return self.connection

    async def disconnect(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            await connection.close()

    async def be_fresh(self, digest: bytes) -> None:
        """Make sure that what is known is recent, and read again at once for a key that is not known. Raises Answer (503)."""
        now = time.monotonic()
        stale = now - self.known.read_at > STALE_S
        if not stale and (digest in self.known.keys or now - self.missed.get(digest, 0) < EVERY_S):
            return
        try:
            async with asyncio.timeout(PATIENCE_S), self.one_at_a_time:
                if self.known.read_at < now:
                    await self.refresh(await self.connected())
        except AWAY:
            await self.disconnect()
            raise Answer(503, "database_away", "the database is away; send it again", retry_after_s=1) from None
        self.remember_miss(digest)

    def remember_miss(self, digest: bytes) -> None:
        """Guessing keys must not cost a query each."""
        if digest not in self.known.keys:
            if len(self.missed) > 10_000:
                self.missed.clear()
            self.missed[digest] = time.monotonic()

    async def receipt(self, receipt: UUID, sender: Sender) -> dict[str, Any] | None:
        """Raises one of AWAY (TimeoutError is an OSError) when PostgreSQL is away or silent."""
        async with asyncio.timeout(PATIENCE_S), self.one_at_a_time:
            return await receipts.read(await self.connected(), receipt, source_id=sender.id, slug=sender.slug)
