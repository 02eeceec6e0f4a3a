"""GET /healthz: whether PostgreSQL answers; Redis and the pipeline are told, and do not make it ill."""

import asyncio
from typing import Any

import msgspec
import psycopg
import redis.asyncio
from django.conf import settings

from apps.ingest import connections
from apps.ingest.answers import Receive, Scope, Send, send_json

PATIENCE_S = 2.0
PIPELINE = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'rtcc pipeline%')"
AWAY = (psycopg.Error, OSError, TimeoutError)


class Healthz:
    """One connection and one question at a time, shared by all who ask; answers within PATIENCE_S whatever hangs."""

    def __init__(self) -> None:
        self.connection: psycopg.AsyncConnection[Any] | None = None
        self.asking: asyncio.Future[tuple[bool, bool]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        (database, pipeline), bus = await asyncio.gather(self.database(), redis_answers())
        word = "ok" if database else "database_away"
        body = msgspec.json.encode({"status": word, "database": database, "redis": bus, "pipeline": pipeline})
        await send_json(send, 200 if database else 503, body)

    async def database(self) -> tuple[bool, bool]:
        """Return whether PostgreSQL answers and whether a pipeline is connected to it. A silent one is not waited for."""
        if self.asking is None or self.asking.done():
            self.asking = asyncio.ensure_future(self.ask())
        done, _ = await asyncio.wait({self.asking}, timeout=PATIENCE_S)
        return self.asking.result() if done else (False, False)

    async def ask(self) -> tuple[bool, bool]:
        try:
            async with asyncio.timeout(2 * PATIENCE_S):
                if self.connection is None or self.connection.closed:
                    self.connection = await connections.connect_async("health check")
                row = await (await self.connection.execute(PIPELINE)).fetchone()
                return True, bool(row and row[0])
        except AWAY:
            await self.close()
            return False, False

    async def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            await connection.close()


async def redis_answers() -> bool:
    client = redis.asyncio.from_url(settings.REDIS_URL, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return bool(await client.ping())
    except (redis.RedisError, OSError, TimeoutError):
        return False
    finally:
        await client.aclose()
