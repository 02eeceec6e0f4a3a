"""Load on an installation, from a thread of its own, with one map open: for what takes longer than a fault."""

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.faults.ledger import Ledger
from tests.faults.load import EVERY_S, SENDERS, Load
from tests.faults.oracle import Rows, Truth, wrong_screens
from tests.faults.screens import Screen

FIRST_BACK_S = (0.25, 0.5)
"""The page waits this long before it connects again, the first time (static/src/feed/backoff.ts)."""


@dataclass
class Map:
    """When positions came, in monotonic seconds."""

    came: list[float] = field(default_factory=list)

    def longest_gap_s(self, since: float, until: float) -> float:
        """The longest time without new positions between two moments."""
        times = [since, *(at for at in self.came if since < at < until), until]
        return max(later - earlier for earlier, later in pairwise(times))


class Feeding:
    def __init__(self, port: int, staged: dict[str, Any], prefix: str, *, fixes_per_s: int) -> None:
        self.ledger, self.map = Ledger(prefix), Map()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        now_us = lambda: round(time.time() * 1e6)  # noqa: E731
        tracks = round(fixes_per_s * EVERY_S / SENDERS)
        self.load = Load(self.ledger, port, staged["keys"], now_us, 1, tracks_a_sender=tracks)
        seen = next(session for session in staged["sessions"] if len(session["agencies"]) == 2)
        self.screen = Screen(1, port=port, session=seen["key"], agencies=seen["agencies"])
        self.screen.back_after_s = lambda: random.uniform(*FIRST_BACK_S)
        self.screen.heard_positions = lambda message: self.map.came.append(time.monotonic())

    def begin(self) -> None:
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self._begin(), self.loop).result(10)

    async def _begin(self) -> None:
        self.showing = asyncio.create_task(self.screen.run())
        self.load.begin()

    def end(self) -> None:
        """Wait until all that was sent is acknowledged. The map stays open."""
        asyncio.run_coroutine_threadsafe(self.load.end(), self.loop).result(30)

    def wrong_on_screen(self, rows: Rows, *, within_s: float) -> list[str]:
        """Return what the open map shows wrongly once all has come; it has a while to be right."""
        until = time.monotonic() + within_s
        while True:
            truth = Truth.read(rows)
            wrong = asyncio.run_coroutine_threadsafe(self._look(truth), self.loop).result(10)
            if not wrong or time.monotonic() > until:
                return wrong
            time.sleep(0.2)

    async def _look(self, truth: Truth) -> list[str]:
        return wrong_screens(truth, [self.screen])

    def close(self) -> None:
        if self.thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(10)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(5)

    async def _close(self) -> None:
        self.load.break_off()
        self.showing.cancel()
        await asyncio.gather(self.showing, *self.load.tasks, return_exceptions=True)


@contextmanager
def feeding(port: int, staged: dict[str, Any], prefix: str, *, fixes_per_s: int) -> Iterator[Feeding]:
    feed = Feeding(port, staged, prefix, fixes_per_s=fixes_per_s)
    feed.begin()
    try:
        yield feed
    finally:
        feed.close()
