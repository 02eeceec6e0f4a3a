"""Run a scenario under load and judge what is left: used by the tests and by the bench."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

from tests.faults import oracle
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.oracle import Truth, Verdict
from tests.faults.scenarios import Scenario
from tests.faults.screens import Screen
from tests.faults.system import System, own_servers, wait_until

T = TypeVar("T")


@dataclass(frozen=True)
class Report:
    """What a drill found, and how much had happened."""

    verdict: Verdict
    fixes: int
    calls: int
    repeats: int
    transitions: int
    seconds: float
    load_s: float

    @property
    def is_telling(self) -> bool:
        return self.transitions >= 20


SETTLE_S = 10.0
ANEW_EVERY = 5
WARM_S, AFTER_S = 0.8, 1.0
CROSSED = "SELECT count(*) FROM geofences_transition x JOIN tracks_track t ON t.id = x.track_id WHERE t.identity LIKE %s"


class Drill:
    """One system, its screens and the loop in which senders and screens live."""

    def __init__(self, system: System, *, settle_s: float = SETTLE_S, rest_s: float = 0.0, extras: bool = True) -> None:
        """`settle_s`: how long screens may take to be right; `rest_s`: how long to wait before the queue is looked at."""
        self.system, self.settle_s, self.rest_s, self.extras = system, settle_s, rest_s, extras
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.screens: list[Screen] = []
        self.showing: list[asyncio.Task[None]] = []
        self.numbers = count(1)

    def begin(self) -> None:
        self.thread.start()
        staged, port = self.system.staged, self.system.instance.port
        for number, session in enumerate(staged["sessions"]):
            screen = Screen(number, port=port, session=session["key"], agencies=session["agencies"])
            self.screens.append(screen)
        self.in_loop(self.show())

    def end(self) -> None:
        if self.thread.is_alive():
            self.in_loop(self.leave())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(5)

    async def show(self) -> None:
        self.showing = [asyncio.create_task(screen.run()) for screen in self.screens]

    async def leave(self) -> None:
        for task in self.showing:
            task.cancel()
        await asyncio.gather(*self.showing, return_exceptions=True)

    def in_loop(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def run(self, scenario: Scenario) -> Report:
        """Load, fault, load again, then wait until the queue is empty and judge."""
        began, number = time.monotonic(), next(self.numbers)
        ledger = Ledger(f"{scenario.name}-{number}-")
        self.mend()
        if self.extras and number % ANEW_EVERY == 0:
            self.begin_anew()
        try:
            scenario.before(self.system)
            aside, load_s = self.strike(scenario, ledger, seed=number)
            verdict = oracle.judge(self.system.rows, ledger, aside=aside)
            self.judge_screens(verdict)
        finally:
            scenario.after(self.system)
        assert not ledger.rejected, f"the front door rejected {ledger.rejected[:3]}"
        crossed = self.system.rows(CROSSED, [f"{ledger.prefix}%"])[0][0]
        spent = time.monotonic() - began
        return Report(verdict, len(ledger.fixes), len(ledger.calls), ledger.repeats, crossed, spent, load_s)

    def strike(self, scenario: Scenario, ledger: Ledger, *, seed: int) -> tuple[frozenset[str], float]:
        """Return what must end up set aside, and how long there was load."""
        load = Load(ledger, self.system.instance.port, self.system.staged["keys"], self.system.now_us, seed, self.extras)
        began = time.monotonic()
        self.in_loop(started(load))
        try:
            time.sleep(WARM_S)
            aside = scenario.strike(self.system, ledger)
            time.sleep(AFTER_S)
            wait_until(lambda: is_enough(ledger), within_s=20, what="load enough to prove anything")
        finally:
            self.in_loop(load.end())
        load_s = time.monotonic() - began
        time.sleep(self.rest_s)
        wait_until(self.system.queue_is_empty, within_s=30, what="the queue is empty", every_s=0.05)
        return aside, load_s

    def begin_anew(self) -> None:
        """Forget the tracks of the drills before: thousands that stand still would only slow the screens down."""
        self.system.begin_anew()
        wait_until(lambda: self.in_loop(all_empty(self.screens)), within_s=20, what="empty screens", every_s=0.1)

    def mend(self) -> None:
        """Start again what a failed drill left dead."""
        if self.system.servers.postgres_pid is None:
            self.system.start_postgres()
        self.system.start_redis()
        if self.system.instance.pid("web") is None:
            self.system.start("web")
        self.system.order(pipeline=[])
        self.system.wait_web()
        wait_until(lambda: set(self.system.owners().values()) == {64}, within_s=30, what="one pipeline owns all shards")

    def judge_screens(self, verdict: Verdict) -> None:
        truth = Truth.read(self.system.rows)
        until = time.monotonic() + self.settle_s
        while True:
            wrong = self.in_loop(looked_at(truth, self.screens))
            if not wrong or time.monotonic() > until:
                break
            time.sleep(0.1)
        verdict.note("clients_wrong", wrong)


async def all_empty(screens: list[Screen]) -> bool:
    return not any(screen.state.shown.any() for screen in screens)


def is_enough(ledger: Ledger) -> bool:
    return len(ledger.fixes) >= 3_000 and len(ledger.calls) >= 8


async def started(load: Load) -> None:
    load.begin()


async def looked_at(truth: Truth, screens: list[Screen]) -> list[str]:
    """Runs in the loop, so that no screen changes while it is looked at."""
    return oracle.wrong_screens(truth, screens)


@contextmanager
def drilling() -> Iterator[Drill]:
    """A running system with its 50 screens."""
    with own_servers() as servers:
        system = System(servers)
        system.set_up()
        drill = Drill(system)
        try:
            system.start("web")
            system.start_nursery()
            system.wait_web()
            drill.begin()
            yield drill
        finally:
            drill.end()
            system.instance.stop()
