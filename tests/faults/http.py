"""Just enough HTTP to post to the front door from many senders in one event loop: one kept-alive connection each."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 2.0
PAUSE_S = 0.1


class Refused(Exception):
    """The front door will not take this post, however often it comes."""


@dataclass
class Poster:
    """Posts the same bytes again until they are acknowledged. `repeats` counts what was sent more than once."""

    port: int
    repeats: int = 0
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def until_acknowledged(self, slug: str, key: str, body: Any) -> dict[str, Any]:
        """Return the body of the 202. Raises Refused."""
        payload = json.dumps(body).encode()
        while True:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    status, answer = await self.once(slug, key, payload)
            except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
                self.close()
                status, answer = 0, b""
            if status == 202:
                return dict(json.loads(answer))
            if status not in (0, 429, 500, 502, 503):
                raise Refused(f"{status}: {answer!r}")
            self.repeats += 1
            await asyncio.sleep(PAUSE_S)

    async def once(self, slug: str, key: str, payload: bytes) -> tuple[int, bytes]:
        if self.writer is None or self.reader is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(
            b"POST /ingest/%b HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (slug.encode(), key.encode(), len(payload), payload)
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        lines = [line.partition(b":") for line in head.lower().split(b"\r\n")]
        length = next(int(value) for name, _, value in lines if name == b"content-length")
        return status, await self.reader.readexactly(length)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None
