"""What the front door reads of a request: path, key, origin, body."""

import asyncio
from base64 import b64decode
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import msgspec

from apps.ingest.answers import Answer, Receive, Scope

BODY_LIMIT = 4 * 2**20
BODY_PATIENCE_S = 30.0


class SenderLeft(Exception):
    """The connection ended before the body did."""


class Request(msgspec.Struct):
    method: str
    slug: str
    receipt: UUID | None
    digest: bytes | None
    origin: str | None
    content_type: str
    content_length: int
    query: bytes


def read_request(scope: Scope) -> Request:
    """Raises Answer for a path that is none."""
    key: bytes | None = None
    origin, content_type, content_length = None, "", 0
    for name, value in scope["headers"]:
        if name == b"authorization":
            key = key_of(value)
        elif name == b"content-type":
            content_type = value.partition(b";")[0].strip().lower()[:80].decode("latin-1")
        elif name == b"content-length":
            content_length = int(value) if value.isdigit() and len(value) < 19 else 0
        elif name == b"x-rtcc-origin":
            origin = value.decode("latin-1").strip().lower()
    query = scope.get("query_string", b"")
    if query and key is None:
        key, query = key_in(query)
    slug, receipt = path_of(scope["path"])
    digest = sha256(key).digest() if key else None
    return Request(scope["method"], slug, receipt, digest, origin, content_type, content_length, query)


def key_of(value: bytes) -> bytes | None:
    """Return the key of an Authorization header: Bearer, or the password of Basic."""
    scheme, _, rest = value.partition(b" ")
    if scheme.lower() == b"bearer":
        return rest.strip()
    if scheme.lower() != b"basic":
        return None
    try:
        return b64decode(rest, validate=False).partition(b":")[2]
    except ValueError:
        return None


def key_in(query: bytes) -> tuple[bytes | None, bytes]:
    """Return ?key= and the query without it: a key is never kept with the raw post."""
    if b"key=" not in query:
        return None, query
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    key = next((value for name, value in pairs if name == "key"), None)
    rest = urlencode([(name, value) for name, value in pairs if name != "key"])
    return key.encode() if key else None, rest.encode()


def path_of(path: str) -> tuple[str, UUID | None]:
    """Return the slug and the receipt of /ingest/<slug> or /ingest/<slug>/receipts/<uuid>. Raises Answer."""
    parts = path.strip("/").split("/")
    if len(parts) == 2:
        return parts[1], None
    if len(parts) == 4 and parts[2] == "receipts":
        try:
            return parts[1], UUID(parts[3])
        except ValueError:
            raise Answer(404, "not_found", "a receipt is a UUID") from None
    raise Answer(404, "not_found", "expected /ingest/<source> or /ingest/<source>/receipts/<receipt>")


async def read_body(request: Request, receive: Receive) -> bytes:
    """Raises Answer (413 as soon as it is too much, 408 when it stalls) and SenderLeft."""
    if request.content_length > BODY_LIMIT:
        raise too_large()
    message = await receive()
    if message["type"] == "http.disconnect":
        raise SenderLeft
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return checked(body)
    try:
        async with asyncio.timeout(BODY_PATIENCE_S):
            return await read_rest(body, receive)
    except TimeoutError:
        raise Answer(408, "too_slow", f"the body did not come within {BODY_PATIENCE_S:.0f} s") from None


async def read_rest(first: bytes, receive: Receive) -> bytes:
    parts, size, more = [first], len(first), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise SenderLeft
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > BODY_LIMIT:
            raise too_large()
    return b"".join(parts)


def checked(body: bytes) -> bytes:
    if len(body) > BODY_LIMIT:
        raise too_large()
    return body


def too_large() -> Answer:
    return Answer(413, "too_large", f"a post has at most {BODY_LIMIT // 2**20} MiB; send several")
