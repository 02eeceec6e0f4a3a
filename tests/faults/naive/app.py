"""A naive server, kept to show that the oracle sees what is wrong with it. It speaks the same protocols.

Its faults, all common: it answers before it has committed (a buffer is written every 0.3 s), and what it tells its
clients goes through a group on Redis, once, with nothing to fill a gap.
"""

import asyncio
import json
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import redis
from channels_redis.pubsub import RedisPubSubChannelLayer

FLUSH_S = 0.3
GROUP = "map"
EVERY_TILE = 0xFFFFFFFF
POSITIONS = """
    SELECT track_id, agency_id, round(ST_X(geom) * 10000000)::int, round(ST_Y(geom) * 10000000)::int FROM tracks_position
"""
CALLS = "SELECT id, agency_id, number, state, narrative FROM incidents_call WHERE state <> 'closed'"
FENCES = "SELECT id, agency_id, name FROM geofences_fence"


async def connect() -> "psycopg.AsyncConnection[Any]":
    where = {name: os.environ[f"RTCC_PG{name.upper()}"] for name in ("host", "port", "user")}
    return await psycopg.AsyncConnection.connect(dbname="naive", autocommit=True, **where)  # type: ignore[arg-type]


def records(agency: int, rows: list[tuple[int, int, int]], *, whole: bool) -> bytes:
    """Return one blob of all tiles: (track, lon, lat)."""
    head = struct.pack("<IIIII", agency, EVERY_TILE, EVERY_TILE, int(whole), len(rows))
    return head + b"".join(struct.pack("<IiiIBBBB", track, lon, lat, 0, 0, 0, 0, 0) for track, lon, lat in rows)


class Naive:
    def __init__(self) -> None:
        self.layer = RedisPubSubChannelLayer(hosts=[os.environ["RTCC_REDIS_URL"]])
        self.buffer: list[tuple[str, bytes]] = []
        self.writer: asyncio.Task[None] | None = None
        staged = json.loads(Path(os.environ["RTCC_STATE"], "naive.json").read_text())
        self.agencies = {session["key"]: session["agencies"] for session in staged["sessions"]}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.writer = self.writer or asyncio.create_task(self.write())
            await self.take(scope, receive, send)
        elif scope["type"] == "websocket":
            with suppress(redis.RedisError, RuntimeError, OSError):
                await self.show(scope, receive, send)

    async def take(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", scope["method"] == "POST"
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if body:
            self.buffer.append((scope["path"].rsplit("/", 1)[1], body))
        answer = b'{"status":"ok","rejected":[]}'
        headers = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 202 if body else 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def write(self) -> None:
        """Store what was acknowledged, some time later. What PostgreSQL does not take is gone."""
        while True:
            await asyncio.sleep(FLUSH_S)
            posts, self.buffer = self.buffer, []
            with suppress(psycopg.Error):
                async with await connect() as connection:
                    await connection.cursor().executemany("INSERT INTO ingest_inbound (slug, body) VALUES (%s, %s)", posts)

    async def show(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        cookie = next(value for name, value in scope["headers"] if name == b"cookie").decode()
        agencies = self.agencies[cookie.partition("=")[2]]
        await send({"type": "websocket.accept", "subprotocol": "rtcc.live.v1"})
        browser = Browser(send, agencies)
        channel = await self.layer.new_channel()
        await self.layer.group_add(GROUP, channel)
        await browser.snapshot()
        reading = asyncio.create_task(browser.read(receive))
        while not reading.done():
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await browser.tell((await self.layer.receive(channel))["news"])
            await browser.text({"type": "heartbeat"})


class Browser:
    def __init__(self, send: Any, agencies: list[int]) -> None:
        self.send, self.agencies, self.seq = send, agencies, 0

    async def text(self, message: dict[str, Any]) -> None:
        self.seq += 1
        await self.send({"type": "websocket.send", "text": json.dumps({"seq": self.seq, **message})})

    async def frame(self, blob: bytes) -> None:
        self.seq += 1
        await self.send({"type": "websocket.send", "bytes": struct.pack("<HHId", 1, 1, self.seq, 0.0) + blob})

    async def read(self, receive: Any) -> None:
        """Send all positions again whenever the view moves."""
        while (message := await receive())["type"] != "websocket.disconnect":
            if '"view"' in (message.get("text") or ""):
                await self.places()

    async def places(self) -> None:
        async with await connect() as connection:
            positions = await (await connection.execute(POSITIONS)).fetchall()
        for agency in self.agencies:
            rows = [row[:1] + row[2:] for row in positions if row[1] == agency]
            await self.tell({"kind": "positions", "agency": agency, "rows": rows})

    async def snapshot(self) -> None:
        await self.text({"type": "hello", "tile_zoom": 13})
        await self.places()
        async with await connect() as connection:
            calls = await (await connection.execute(CALLS)).fetchall()
            fences = await (await connection.execute(FENCES)).fetchall()
        for agency in self.agencies:
            await self.features("calls", agency, calls, ("number", "state", "narrative"))
            await self.features("fences", agency, fences, ("name",))

    async def features(self, layer: str, agency: int, rows: list[Any], names: tuple[str, ...]) -> None:
        made = [{"id": row[0], "properties": dict(zip(names, row[2:], strict=True))} for row in rows if row[1] == agency]
        await self.text({"type": "snapshot", "layer": layer, "agency": agency, "features": made})

    async def tell(self, news: dict[str, Any]) -> None:
        if news["agency"] not in self.agencies:
            return
        if news["kind"] == "calls":
            await self.text({"type": "changes", "layer": "calls", **news})
            return
        names = [{"handle": row[0], "id": row[0]} for row in news["rows"]]
        await self.text({"type": "introduce", "agency": news["agency"], "units": names})
        await self.frame(records(news["agency"], [tuple(row) for row in news["rows"]], whole=False))


application = Naive()
