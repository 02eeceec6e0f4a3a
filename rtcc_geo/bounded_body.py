"""What pages take in: so much, and within so long. Django would first write a body of any size to the disk."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from apps.ingest.answers import Receive, Scope, Send

MOST_BYTES = 4 * 2**20
PATIENCE_S = 30.0
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
TOO_LARGE = (413, "too_large", f"a request has at most {MOST_BYTES // 2**20} MiB")
TOO_SLOW = (408, "too_slow", f"the request did not come within {PATIENCE_S:.0f} s")


class BoundedBody:
    def __init__(self, pages: Application) -> None:
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = Incoming(receive, send)
        if announced(scope) > MOST_BYTES:
            body.refusal = TOO_LARGE
        else:
            await self.pages(scope, body.receive, body.send)
        if body.refusal is not None and not body.is_answered:
            await refuse(send, *body.refusal)


def announced(scope: Scope) -> int:
    """Return the length that the sender says; 0 when it says none, or nonsense."""
    said = dict(scope["headers"]).get(b"content-length", b"0")
    return int(said) if said.isdigit() and len(said) < 19 else 0


class Incoming:
    """The application's ends of a connection. Past a bound it is told that the sender left."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.outer_receive, self.outer_send = receive, send
        self.ends_at = asyncio.get_running_loop().time() + PATIENCE_S
        self.size = 0
        self.is_whole = self.is_answered = False
        self.refusal: tuple[int, str, str] | None = None

    async def receive(self) -> Mapping[str, Any]:
        if self.is_whole:
            return await self.outer_receive()
        try:
            async with asyncio.timeout_at(self.ends_at):
                message = await self.outer_receive()
        except TimeoutError:
            return self.left(TOO_SLOW)
        self.size += len(message.get("body", b""))
        self.is_whole = not message.get("more_body", False)
        return self.left(TOO_LARGE) if self.size > MOST_BYTES else message

    def left(self, refusal: tuple[int, str, str]) -> Mapping[str, Any]:
        self.refusal = refusal
        return {"type": "http.disconnect"}

    async def send(self, message: Mapping[str, Any]) -> None:
        self.is_answered = True
        await self.outer_send(message)


async def refuse(send: Send, status: int, error: str, detail: str) -> None:
    """Answer, and end the connection: what is still coming is not read."""
    body = msgspec.json.encode({"error": error, "detail": detail})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
