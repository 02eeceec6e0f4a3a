"""Answers of the front door: JSON, always."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from apps.ingest.parcels import PreparedPost

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Answer(Exception):
    """A refusal: its status, a word, a sentence for the sender."""

    def __init__(self, status: int, error: str, detail: str, *, retry_after_s: int | None = None, receipt: bytes | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.error = error
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.receipt = receipt

    def body(self) -> bytes:
        told = {"error": self.error, "detail": self.detail}
        if self.receipt is not None:
            told["receipt"] = str(UUID(bytes=self.receipt))
        return msgspec.json.encode(told)


def accepted(post: PreparedPost) -> bytes:
    """Return the body of a 202."""
    receipt = UUID(bytes=post.id)
    if not post.rejects and not post.notes:
        return b'{"receipt":"%s","accepted":%d,"rejected":[]}' % (str(receipt).encode(), post.accepted)
    rejected = [{name: getattr(reject, name) for name in ("index", "reason", "detail", "quarantined")} for reject in post.rejects]
    told: dict[str, Any] = {"receipt": receipt, "accepted": post.accepted, "rejected": rejected}
    if post.notes:
        told["notes"] = [{"index": index, "detail": detail} for index, detail in sorted(post.notes.items())]
    return msgspec.json.encode(told)


async def send_json(send: Send, status: int, body: bytes, *, retry_after_s: int | None = None) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % retry_after_s))
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="ingest", Bearer'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
