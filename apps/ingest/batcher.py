"""Group commit: all posts that came while the last commit ran become durable in the next one, then each is answered."""

import asyncio
import logging
from collections.abc import Sequence
from time import monotonic
from typing import Any

import psycopg

from apps.ingest import connections
from apps.ingest.parcels import PreparedPost
from apps.ingest.statements import statement
from apps.processes.counting import counts

log = logging.getLogger(__name__)
POSTS_A_COMMIT = 1_000
BYTES_A_COMMIT = 16 * 2**20
WAITING_BYTES = 64 * 2**20
PATIENCE_S = 5.0

Connection = psycopg.AsyncConnection[Any]
Waiting = tuple[PreparedPost, "asyncio.Future[None]"]


class Unavailable(Exception):
    """PostgreSQL is away, or died before it said whether the commit stands. The sender repeats."""


class Overloaded(Exception):
    """More is waiting for a commit than memory should hold."""


class Batcher:
    """Each `run` commits what waits over a connection of its own; while one waits for the disk, another gathers."""

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
        self.waiting: asyncio.Queue[Waiting] = asyncio.Queue()
        self.waiting_bytes = 0
        self.unanswered = 0
        self.abandoned: set[asyncio.Future[Connection | None]] = set()

    def commit(self, post: PreparedPost) -> "asyncio.Future[None]":
        """Return what is done when the post is durable. Raises Overloaded at once; the future raises Unavailable."""
        if self.waiting_bytes > WAITING_BYTES:
            raise Overloaded
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.unanswered += 1
        durable.add_done_callback(self.answered)
        self.waiting_bytes += len(post.raw)
        self.waiting.put_nowait((post, durable))
        return durable

    def answered(self, _: "asyncio.Future[None]") -> None:
        self.unanswered -= 1

    async def drained(self) -> None:
        """Return when every post is answered."""
        while self.unanswered:
            await asyncio.sleep(0.01)

    async def take(self) -> list[Waiting]:
        """Wait for one post, then take all that wait, within a commit's bounds."""
        batch = [await self.waiting.get()]
        size = len(batch[0][0].raw)
        while len(batch) < POSTS_A_COMMIT and size < BYTES_A_COMMIT and not self.waiting.empty():
            batch.append(self.waiting.get_nowait())
            size += len(batch[-1][0].raw)
        self.waiting_bytes -= size
        return batch

    async def run(self) -> None:
        """Commit forever, over one connection that is opened again whenever it is lost or does not answer."""
        connection: Connection | None = None
        try:
            while True:
                batch = await self.take()
                connection = await self.store_in_time(batch, connection)
        finally:
            await close(connection)

    async def store_in_time(self, batch: Sequence[Waiting], connection: Connection | None) -> Connection | None:
        """Store one batch. A database that says nothing is left alone with its connection, and the senders are told."""
        work = asyncio.ensure_future(self.store(batch, connection))
        try:
            done, _ = await asyncio.wait({work}, timeout=PATIENCE_S)
        except asyncio.CancelledError:
            work.cancel()
            raise
        if done:
            return work.result()
        log.warning("the database did not answer a commit within %s s", PATIENCE_S)
        refuse(batch, Unavailable("the database does not answer"))
        self.abandoned.add(work)
        work.add_done_callback(self.abandoned.discard)
        work.cancel()
        return None

    async def store(self, batch: Sequence[Waiting], connection: Connection | None) -> Connection | None:
        """Commit one batch and answer it. Returns the connection, None when it is lost."""
        try:
            if connection is None or connection.closed:
                connection = await connections.connect_async(self.purpose)
            await self.insert(batch, connection)
        except asyncio.CancelledError:
            refuse(batch, Unavailable("the commit was given up"))
            await close(connection)
            raise
        except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
            log.warning("posts not committed: %s", error)
            refuse(batch, Unavailable(str(error)))
        except Exception as error:
            log.exception("a batch of posts could not be stored")
            refuse(batch, error)
        else:
            return connection
        await close(connection)
        return None

    async def insert(self, batch: Sequence[Waiting], connection: Connection) -> None:
        """Insert the batch in one transaction. When one post is at fault, only that one is refused."""
        query, values = statement([post for post, _ in batch])
        begun = monotonic()
        try:
            await connection.execute(query, values, prepare=True)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            await self.insert_apart(batch, connection, error)
            return
        counts.took("door_commit_seconds", monotonic() - begun)
        for _, durable in batch:
            if not durable.done():
                durable.set_result(None)

    async def insert_apart(self, batch: Sequence[Waiting], connection: Connection, error: psycopg.Error) -> None:
        if len(batch) == 1:
            log.error("a post of source %s cannot be stored: %s", batch[0][0].source_id, error)
            refuse(batch, error)
            return
        middle = len(batch) // 2
        await self.insert(batch[:middle], connection)
        await self.insert(batch[middle:], connection)


def refuse(batch: Sequence[Waiting], reason: Exception) -> None:
    for _, durable in batch:
        if not durable.done():
            durable.set_exception(reason)


async def close(connection: Connection | None) -> None:
    if connection is not None:
        await connection.close()
