"""Answer "is this tile still so?" before Django, many a second.

Django's answer to a tile leaves here what its tag is made of (`remember`). When the same asker comes again for the same address, one
statement, shared by all who ask in that moment, reads whether the session or token still holds, the grants' epoch, and the tile's
heads. If nothing changed, the answer is 304. In every other case (not known here, signed out, another epoch, another tag, no database)
Django answers, as it does whenever PASS_S have gone by since it last saw this asker: what it alone looks at is at most that old.
"""

import asyncio
import logging
import threading
import time
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

import psycopg
from django.conf import settings
from django.http import HttpRequest

from apps.accounts import tokens
from apps.accounts.operations import digest_of
from apps.layers.tile_tags import Basis, Head, matches

log = logging.getLogger(__name__)
PASS_S = 5.0
PATIENCE_S = 2.0
REST_S = 1.0
MOST_KNOWN = 50_000
AWAY = (psycopg.Error, OSError, TimeoutError)
Asker = tuple[str, bytes]
"""("session", its key) or ("token", its SHA-256)."""
ASKERS = """
    SELECT 'session', convert_to(session_key, 'UTF8') FROM accounts_membersession
    WHERE session_key = ANY(%(sessions)s) AND expire_date > now() AND locked_at IS NULL
    UNION ALL
    SELECT 'token', digest FROM accounts_viewtoken token JOIN accounts_member member ON member.id = token.member_id
    WHERE digest = ANY(%(digests)s) AND revoked_at IS NULL AND expires_at > now() AND member.is_active
"""
EPOCH = "SELECT epoch FROM accounts_grantepoch WHERE id = 1"
HEADS = """
    SELECT asked.place, head.agency_id, max(head.rev), sum(head.erased)::bigint
    FROM unnest(%s::int[], %s::text[], %s::bigint[], %s::smallint[], %s::bigint[], %s::bigint[])
        AS asked (place, layer, agency_id, zoom, first, behind)
    JOIN layers_tilehead head ON head.layer = asked.layer AND head.agency_id = asked.agency_id AND head.zoom = asked.zoom
        AND head.tile >= asked.first AND head.tile < asked.behind
    GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass
class Memory:
    """What Django's answers left, written by its threads and read by the event loop."""

    known: OrderedDict[tuple[Asker, str], Basis] = field(default_factory=OrderedDict)
    passes: dict[Asker, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, asker: Asker, address: str, basis: Basis, *, at: float) -> None:
        with self.lock:
            self.known[asker, address] = basis
            self.known.move_to_end((asker, address))
            self.passes[asker] = at + PASS_S
            while len(self.known) > MOST_KNOWN:
                self.known.popitem(last=False)
            if len(self.passes) > MOST_KNOWN:
                self.passes = {one: until for one, until in self.passes.items() if until > at}

    def find(self, asker: Asker, address: str, *, at: float) -> Basis | None:
        with self.lock:
            return self.known.get((asker, address)) if self.passes.get(asker, 0.0) > at else None


memory = Memory()


def remember(request: HttpRequest, basis: Basis) -> None:
    """Keep what the tag of a tile is made of that Django just answered."""
    text, key = tokens.sent_in(request), request.session.session_key
    asker = ("token", digest_of(text)) if text is not None else ("session", (key or "").encode())
    query = request.META.get("QUERY_STRING", "")
    memory.keep(asker, f"{request.path}?{query}", basis, at=time.monotonic())


@dataclass(frozen=True)
class Question:
    asker: Asker
    basis: Basis
    told: "asyncio.Future[str | None]"


class Revalidation:
    """One connection and one question at a time, which holds all that came in the meantime."""

    def __init__(self) -> None:
        self.waiting: list[Question] = []
        self.connection: psycopg.AsyncConnection[Any] | None = None
        self.task: asyncio.Task[None] | None = None
        self.away_until = 0.0

    async def unchanged(self, scope: dict[str, Any]) -> str | None:
        """Return the tag of a tile that is still as the asker has it; None: ask Django."""
        found = self._asked(scope)
        if found is None:
            return None
        asker, basis, if_none_match = found
        question = Question(asker, basis, asyncio.get_running_loop().create_future())
        self.waiting.append(question)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._run())
        tag = await question.told
        return tag if tag is not None and matches(if_none_match, tag) else None

    def _asked(self, scope: dict[str, Any]) -> tuple[Asker, Basis, str] | None:
        if scope["method"] not in ("GET", "HEAD") or time.monotonic() < self.away_until:
            return None
        headers = {name: value for name, value in scope["headers"] if name in (b"if-none-match", b"cookie", b"authorization")}
        if_none_match, query = headers.get(b"if-none-match", b"").decode("latin-1"), scope["query_string"].decode("latin-1")
        asker = asker_of(headers, query) if if_none_match else None
        basis = memory.find(asker, f"{scope['path']}?{query}", at=time.monotonic()) if asker else None
        return (asker, basis, if_none_match) if asker and basis else None

    async def _run(self) -> None:
        while self.waiting:
            questions, self.waiting = self.waiting, []
            tags: list[str | None] = [None] * len(questions)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    tags = await self._tags(questions)
            except AWAY as error:
                log.warning("tiles are revalidated by Django for %.0f s: %s", REST_S, error)
                self.away_until = time.monotonic() + REST_S
                await self.close()
            finally:
                for question, tag in zip(questions, tags, strict=True):
                    if not question.told.done():
                        question.told.set_result(tag)

    async def _tags(self, questions: list[Question]) -> list[str | None]:
        """Return the tags as they are now; None for an asker who may not ask, or whose rights have changed."""
        if self.connection is None or self.connection.closed:
            self.connection = await connect()
        asked = [(place, agency, one.basis) for place, one in enumerate(questions) for agency in one.basis.agencies]
        columns = [[*column] for column in zip(*(
            (place, one.layer, agency, one.zoom, one.first, one.behind) for place, agency, one in asked
        ), strict=True)]  # fmt: skip
        askers = {kind: [key for one, key in {question.asker for question in questions} if one == kind] for kind in ("session", "token")}
        sessions = [key.decode("utf-8", "replace") for key in askers["session"]]
        async with self.connection.pipeline():
            holding = await self.connection.execute(ASKERS, {"sessions": sessions, "digests": askers["token"]})
            epoch = await self.connection.execute(EPOCH)
            told = await self.connection.execute(HEADS, columns)
            holds = {(kind, bytes(key)) for kind, key in await holding.fetchall()}
            (now,) = await epoch.fetchone() or (None,)
            heads: defaultdict[int, list[Head]] = defaultdict(list)
            for place, *head in await told.fetchall():
                heads[place].append((head[0], head[1], head[2]))
        return [
            one.basis.tag(heads[place]) if one.asker in holds and one.basis.epoch == now else None for place, one in enumerate(questions)
        ]

    async def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            await connection.close()


def asker_of(headers: dict[bytes, bytes], query: str) -> Asker | None:
    """Say who asks as Django does: a token, in the header or else the address, comes before a session."""
    scheme, _, text = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return "token", digest_of(text.strip())
    if f"{tokens.IN_ADDRESS}=" in query:
        sent = parse_qs(query, keep_blank_values=True).get(tokens.IN_ADDRESS)
        return ("token", digest_of(sent[-1])) if sent else None
    try:
        cookie = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    return ("session", cookie.value.encode()) if cookie and cookie.value else None


async def connect() -> psycopg.AsyncConnection[Any]:
    """Raises psycopg.OperationalError when PostgreSQL is away."""
    database: dict[str, Any] = settings.DATABASES["default"]
    return await psycopg.AsyncConnection.connect(
        host=database["HOST"], port=database["PORT"], user=database["USER"], dbname=database["NAME"], autocommit=True, connect_timeout=5,
        application_name="rtcc tiles", options="-c statement_timeout=2s -c timezone=UTC",
    )  # fmt: skip
