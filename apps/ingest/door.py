"""The front door: a bare ASGI application beside Django. A sender is answered only after its post is committed."""

import asyncio
import logging
import math
import time
from datetime import datetime

import msgspec
from django.conf import settings

from apps.ingest import answers
from apps.ingest.adapters import ADAPTERS
from apps.ingest.adapters.contract import Adapter
from apps.ingest.answers import Answer, Receive, Scope, Send
from apps.ingest.batcher import Batcher, Overloaded, Unavailable
from apps.ingest.housekeeping import AWAY, Housekeeping
from apps.ingest.intake import Intake, KeptUnread
from apps.ingest.known import Sender
from apps.ingest.lasting import again, keep
from apps.ingest.request import Request, SenderLeft, read_body, read_request

log = logging.getLogger(__name__)
COMMITTERS = 2
JSON = msgspec.json.Encoder()


class Door:
    """Everything under /ingest/ of one web process."""

    def __init__(self) -> None:
        self.batcher = Batcher("front door")
        self.house = Housekeeping("front door")
        self.intake = Intake(self.batcher, self.house)
        self.tasks: list[asyncio.Task[None]] = []
        self.full_after_s = settings.QUEUE_FULL_AFTER.total_seconds()

    def start(self) -> None:
        """Begin to commit and to look after what is known. Called again, it does nothing."""
        if not self.tasks:
            loop = asyncio.get_running_loop()
            jobs = {"housekeeping": again(self.house.run, pause_s=1.0)}
            jobs |= {f"committer {number}": self.batcher.run() for number in range(COMMITTERS)}
            self.tasks = [keep(loop.create_task(job, name=f"front door, {name}")) for name, job in jobs.items()]

    async def stop(self) -> None:
        """Commit what waits, then end."""
        if self.tasks:
            await self.batcher.drained()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.start()
        try:
            status, body = await self.answer(read_request(scope), receive)
            await answers.send_json(send, status, body)
        except Answer as answer:
            await answers.send_json(send, answer.status, answer.body(), retry_after_s=answer.retry_after_s)
        except SenderLeft:
            log.info("a sender left before its body had come")

    async def answer(self, request: Request, receive: Receive) -> tuple[int, bytes]:
        """Return the status and the body. Raises Answer for every refusal."""
        sender = await self.sender_of(request)
        if request.receipt is not None:
            return await self.tell_receipt(request, sender)
        adapter = ADAPTERS.get(sender.adapter)
        if adapter is None:
            raise Answer(404, "not_found", f"source {sender.slug} does not listen here (adapter {sender.adapter})")
        at = self.admit(request, sender, adapter)
        body = await read_body(request, receive)
        return await self.take(request, sender, adapter, body or request.query, at)

    async def sender_of(self, request: Request) -> Sender:
        """Return whose key this is. A key that is not known is looked for once more, since it may be new. Whether another's source
        exists is not told."""
        if request.digest is None:
            raise Answer(401, "no_key", "send the source's key as Authorization: Bearer KEY, as Basic's password or as ?key=")
        await self.house.be_fresh(request.digest)
        known = self.house.known
        source_id = known.keys.get(request.digest)
        sender = known.senders.get(source_id) if source_id is not None else None
        if sender is None:
            raise Answer(401, "unknown_key", "this key is not known, or was revoked")
        if sender.slug == request.slug:
            return sender
        raise Answer(404, "not_found", f"this key is for no source {request.slug}")

    def admit(self, request: Request, sender: Sender, adapter: Adapter) -> datetime:
        """Check all that can be checked before the body is read. Returns the instance's time. Raises Answer."""
        instance = self.house.known.instance
        if instance is None:
            raise Answer(503, "not_set_up", "this instance is not set up yet")
        if request.method != "POST" and not (request.method == "GET" and sender.adapter == "osmand"):
            raise Answer(405, "method", "send observations by POST")
        if not sender.enabled:
            raise Answer(404, "switched_off", f"source {sender.slug} is switched off")
        at = instance.clock.now()
        self.check_origin(request, sender, instance.kind, instance.origins, at)
        if request.content_type and request.content_type not in adapter.content_types:
            raise Answer(415, "content_type", f"{request.content_type} is not read here; send {' or '.join(sorted(adapter.content_types))}")
        self.check_room(sender)
        return at

    def check_origin(self, request: Request, sender: Sender, kind: str, origins: frozenset[str], at: datetime) -> None:
        problem = ""
        if sender.origin not in origins:
            problem = f"this instance is {kind} and holds no {sender.origin} data"
        elif request.origin is not None and request.origin != sender.origin:
            problem = f"the post says {request.origin}, its source is {sender.origin}"
        if problem:
            self.house.healths.refused(sender.id, problem, at=at)
            raise Answer(409, "origin", problem)

    def check_room(self, sender: Sender) -> None:
        """Raise 429 when the source sends more than its quota or the queue is not being emptied."""
        wait_s = sender.quota.wait_s(at=time.monotonic())
        if wait_s > 0:
            raise Answer(429, "quota", f"over {sender.quota.per_s:.0f} observations a second", retry_after_s=math.ceil(wait_s))
        if self.house.known.queue_age_s > self.full_after_s:
            raise Answer(429, "queue_full", "observations wait too long to be processed", retry_after_s=5)

    async def take(self, request: Request, sender: Sender, adapter: Adapter, body: bytes, at: datetime) -> tuple[int, bytes]:
        """Parse, commit, answer. A commit whose end is unknown is answered 503: sent again, it has one effect."""
        try:
            post = await self.intake.take(sender, adapter, body, content_type=request.content_type, at=at)
        except KeptUnread as kept:
            raise Answer(400, kept.reason, kept.detail, receipt=kept.receipt) from kept
        except Overloaded:
            raise Answer(429, "busy", "too much waits to be committed", retry_after_s=1) from None
        except Unavailable:
            raise Answer(503, "database_away", "not committed; send it again", retry_after_s=1) from None
        except Exception as error:
            log.exception("a post of source %s was not stored", sender.slug)
            raise Answer(500, "not_stored", "the server could not store this post") from error
        return 202, answers.accepted(post)

    async def tell_receipt(self, request: Request, sender: Sender) -> tuple[int, bytes]:
        if request.method != "GET":
            raise Answer(405, "method", "read a receipt by GET")
        assert request.receipt is not None
        try:
            found = await self.house.receipt(request.receipt, sender)
        except AWAY:
            raise Answer(503, "database_away", "ask again", retry_after_s=1) from None
        if found is None:
            raise Answer(404, "not_found", f"source {sender.slug} has no such receipt")
        return 200, JSON.encode(found)
