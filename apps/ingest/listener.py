"""The pollers' process: each enabled source with an address is polled in its turn; a failed poll ends nothing and is told."""

import asyncio
import logging
import time
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg

from apps.accounts.safe_fetch import FetchFailed, Refused
from apps.ingest.adapters import ADAPTERS
from apps.ingest.batcher import Batcher, Overloaded, Unavailable
from apps.ingest.housekeeping import AWAY, Housekeeping
from apps.ingest.intake import Intake, KeptUnread
from apps.ingest.known import Sender
from apps.ingest.lasting import again, keep
from apps.ingest.polling import poll
from apps.processes.counting import counts

log = logging.getLogger(__name__)
LOOK_EVERY_S = 0.5
POLL_S, SHORTEST_POLL_S = 60.0, 5.0
USED = """
INSERT INTO ingest_outbounduse (source_id, address, last_used_at, last_result) VALUES (%s, %s, clock_timestamp(), %s)
ON CONFLICT (source_id, address) DO UPDATE SET last_used_at = excluded.last_used_at, last_result = excluded.last_result
"""


def pause_s(sender: Sender) -> float:
    """Return how long to wait between polls; on this machine's own networks (tests) it may be short."""
    try:
        asked = float(sender.settings.get("poll_s", POLL_S))
    except (TypeError, ValueError):
        return POLL_S
    shortest = 0.2 if sender.settings.get("allow_private") is True else SHORTEST_POLL_S
    return max(shortest, asked)


class Listener:
    def __init__(self) -> None:
        self.house = Housekeeping("listen")
        self.batcher = Batcher("listen")
        self.intake = Intake(self.batcher, self.house)
        self.due: dict[int, float] = {}
        self.polls: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        beside = [keep(asyncio.create_task(job)) for job in (again(self.house.run, pause_s=1.0), self.batcher.run())]
        try:
            while True:
                counts.turn()
                self.start_due(time.monotonic())
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            for task in (*self.polls.values(), *beside):
                task.cancel()
            await asyncio.gather(*self.polls.values(), *beside, return_exceptions=True)

    def start_due(self, now: float) -> None:
        """Start a poll of each source whose turn it is, and that is not still being polled."""
        senders = self.house.known.senders
        self.due = {source_id: at for source_id, at in self.due.items() if source_id in senders}
        for sender in senders.values():
            if not self.is_polled(sender) or sender.id in self.polls or self.due.get(sender.id, 0) > now:
                continue
            self.due[sender.id] = now + pause_s(sender)
            task = self.polls[sender.id] = asyncio.create_task(self.poll(sender))
            task.add_done_callback(lambda _, source_id=sender.id: self.polls.pop(source_id, None))  # type: ignore[misc]

    def is_polled(self, sender: Sender) -> bool:
        return sender.enabled and sender.adapter == "arcgis" and bool(sender.settings.get("url"))

    async def poll(self, sender: Sender) -> None:
        """Poll once; whatever goes wrong is written into the source's health."""
        instance = self.house.known.instance
        if instance is None:
            return
        at = instance.clock.now()
        if sender.origin not in instance.origins:
            self.tell(sender, f"not polled: this instance is {instance.kind} and holds no {sender.origin} data", at)
            return
        try:
            raw = await asyncio.to_thread(poll, sender.settings, at=at)
            await self.intake.take(sender, ADAPTERS["arcgis"], raw, content_type="application/json", at=at)
            await self.note_use(sender, "answered")
        except KeptUnread as kept:
            await self.note_use(sender, kept.detail)
        except (Refused, FetchFailed, Unavailable, Overloaded) as problem:
            self.tell(sender, f"poll failed: {problem}", at)
            await self.note_use(sender, str(problem))
        except Exception as error:
            log.exception("poll of %s", sender.slug)
            self.tell(sender, f"poll failed: {type(error).__name__}", at)

    def tell(self, sender: Sender, problem: str, at: datetime) -> None:
        log.warning("source %s was not polled; its health says why", sender.slug)
        self.house.healths.refused(sender.id, problem, at=at)

    async def note_use(self, sender: Sender, result: str) -> None:
        """Record that an address was called. A database that is away costs the note, not the poll."""
        parts = urlsplit(str(sender.settings["url"]))
        row: tuple[Any, ...] = (sender.id, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"[:300], result[:300])
        try:
            async with self.house.one_at_a_time:
                await (await self.house.connected()).execute(USED, row)
        except (*AWAY, psycopg.Error) as error:
            log.warning("last use of %s not noted: %s", sender.slug, error)
