"""Posts over plain keep-alive HTTP connections on loopback, as fast as asked or as fast as they are answered."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from bench.posts import PlannedPost

MOST_REFUSALS = 500


@dataclass
class Tally:
    offered: int = 0
    accepted: int = 0
    repeated: int = 0
    posts: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Address:
    port: int
    slug: str
    key: str

    def request(self, body: bytes) -> bytes:
        head = f"POST /ingest/{self.slug} HTTP/1.1\r\nHost: localhost:{self.port}\r\nAuthorization: Bearer {self.key}\r\n"
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    return int(head[9:12]), await reader.readexactly(length)


async def paced(posts: Iterator[PlannedPost], rate: float | None, seconds: float) -> AsyncIterator[PlannedPost]:
    """Yield posts for a time, `rate` fixes a second (None: without waiting)."""
    start, sent = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        post = next(posts, None)
        if post is None:
            return
        due = start + sent / rate if rate else 0
        if due > time.monotonic():
            await asyncio.sleep(due - time.monotonic())
        sent += post.fixes
        yield post


async def connection(address: Address, source: AsyncIterator[PlannedPost], lock: asyncio.Lock, tally: Tally) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
    while True:
        async with lock:
            post = await anext(source, None)
        if post is None:
            break
        tally.offered += post.fixes
        while not await acknowledged(address, reader, writer, post, tally):
            await asyncio.sleep(0.05)
    writer.close()


async def acknowledged(
    address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, post: PlannedPost, tally: Tally
) -> bool:
    writer.write(address.request(post.body))
    status, body = await answer(reader)
    tally.posts += 1
    if status != 202:
        tally.refused[status] = tally.refused.get(status, 0) + 1
        if tally.refused[status] > MOST_REFUSALS:
            raise SystemExit(f"the front door keeps answering {status}: {body.decode()}")
        return False
    tally.accepted += int(json.loads(body)["accepted"])
    tally.repeated += post.repeated
    return True


async def send(address: Address, posts: Iterator[PlannedPost], *, rate: float | None, seconds: float, connections: int) -> Tally:
    """Send until the time is up and every post is acknowledged; a refused one is sent again.

    A device's posts may overtake each other only between connections; with paced sending the next turn is far behind.
    """
    tally, lock, source = Tally(), asyncio.Lock(), paced(posts, rate, seconds)
    start = time.monotonic()
    await asyncio.gather(*(connection(address, source, lock, tally) for _ in range(connections)))
    tally.seconds = time.monotonic() - start
    return tally
