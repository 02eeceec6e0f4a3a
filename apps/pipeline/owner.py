"""An owner of shards: joins, takes its fair share, runs batches, hands over between batches, and starts again when
PostgreSQL goes away."""

import gc
import logging
import signal
import threading
import time
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import psycopg
from django.conf import settings
from psycopg import errors

from apps.accounts.instance import NoInstance
from apps.geo.binary_array import send_packed
from apps.incidents import cells
from apps.pipeline import aging, overlooked, partitions, shards
from apps.pipeline.memory import load_memory
from apps.pipeline.running import Runner
from apps.pipeline.suspicion import ALONE, Suspicion
from apps.pipeline.take import head
from apps.processes import reporting
from apps.processes.counting import counts

log = logging.getLogger(__name__)
PACE_S = 0.02
"""Between the beginnings of two batches that found work. What a batch costs however small it is (5 ms of processor) would else be
paid a hundred times a second, and taken from what the batches hold."""
IDLE_S = 0.01
IDLE_LONG_S = 0.04
HOUSEKEEPING_S = 1.0
WATCHDOG_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0
KILLED_ITS_PROCESS = "its processing ended the process twice"


def connect(application: str) -> psycopg.Connection[Any]:
    """Open a connection of our own: no pool, so that its locks and its batches live and die together."""
    database = settings.DATABASES["default"]
    connection = psycopg.connect(
        host=str(database["HOST"]),
        port=str(database["PORT"]),
        user=str(database["USER"]),
        dbname=str(database["NAME"]),
        application_name=application,
        autocommit=True,
        connect_timeout=5,
        keepalives=1,
        keepalives_idle=5,
        keepalives_interval=5,
        keepalives_count=3,
    )
    send_packed(connection)
    return connection


def open_owner() -> "Owner":
    """Connect, count as an owner, and prepare what a batch needs."""
    from apps.tracks import history

    connection = connect(shards.APPLICATION)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        cursor.execute("SET idle_in_transaction_session_timeout = '30s'")
        history.prepare(cursor)
        memory = load_memory(cursor, [])
    shards.join(connection)
    return Owner(connection, Runner(connection, memory))


def watch_below(owner: "Owner") -> None:
    """Look beside its batches for rows that an owner's takes would not find."""
    words = (connect, lambda: dict(owner.runner.taker.floors), owner.overlooked, owner.ended)
    threading.Thread(target=overlooked.watch, args=words, daemon=True).start()


@dataclass
class Owner:
    connection: psycopg.Connection[Any]
    runner: Runner
    suspicion: Suspicion = field(default_factory=Suspicion)
    kept_house_at: float = 0.0
    idle_since: float = field(default_factory=time.monotonic)
    overlooked: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def serve(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            begun = time.monotonic()
            counts.turn()
            if begun - self.kept_house_at >= HOUSEKEEPING_S:
                self._keep_house()
            worked = self._run_together() + self._run_apart()
            self._rest(stopping, worked, begun)
        self._leave()

    def _rest(self, stopping: threading.Event, worked: int, begun: float) -> None:
        now = time.monotonic()
        if worked:
            self.idle_since = now
            stopping.wait(max(0.0, begun + PACE_S - now))
        else:
            stopping.wait(IDLE_S if now - self.idle_since < 1 else IDLE_LONG_S)

    def _keep_house(self) -> None:
        """Once a second: the share of shards, small tables, partitions ahead, calls without a cell."""
        self.kept_house_at = time.monotonic()
        self._mind_overlooked()
        self._balance()
        memory = self.runner.memory
        with self.connection.cursor() as cursor:
            memory.references.refresh(cursor, memory.instance)
        partitions.keep_ahead(self.connection, memory.instance.clock.now())
        cells.catch_up(self.connection)

    def _mind_overlooked(self) -> None:
        if self.overlooked.is_set():
            self.overlooked.clear()
            self.runner.taker.forget()

    def _balance(self) -> None:
        held = self.runner.memory.shards
        most = shards.fair_share(self.connection)
        if len(held) > most:
            self._give_back(held[most:])
        elif len(held) < most:
            won = shards.win(self.connection, held, most)
            if won:
                self.suspicion.mark(self.connection, won)
                self._hold(sorted(held + won))

    def _hold(self, held: list[int]) -> None:
        log.info("owner of %d shards", len(held))
        self.runner.memory.shards = held
        self.runner.taker.forget()
        self.runner.reload()

    def _give_back(self, given: list[int]) -> None:
        self._hold([shard for shard in self.runner.memory.shards if shard not in given])
        self.suspicion.forgive(self.connection, set(given) - self.suspicion.apart)
        shards.release(self.connection, given)

    def _leave(self) -> None:
        self.suspicion.forgive(self.connection, set(self.runner.memory.shards) - self.suspicion.apart)
        self.connection.close()

    def _run_together(self) -> int:
        together = [shard for shard in self.runner.memory.shards if shard not in self.suspicion.apart]
        if not together:
            return 0
        worked = self.runner.run(together)
        if worked and self.suspicion.marked - self.suspicion.apart:
            self.suspicion.forgive(self.connection, self.suspicion.marked - self.suspicion.apart)
        return worked

    def _run_apart(self) -> int:
        worked = 0
        for shard in sorted(self.suspicion.suspects):
            self.suspicion.name(self.connection, shard, ALONE, None)
            worked += self.runner.run([shard])
            self.suspicion.forgive(self.connection, {shard})
        for shard in sorted(self.suspicion.culprits):
            worked += self._run_one(shard)
        return worked

    def _run_one(self, shard: int) -> int:
        """Run one observation of a culprit shard, named first; set it aside when it is the one that ended a process."""
        with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
            row = head(cursor, shard)
        killer = self.suspicion.killer.get(shard)
        if row is None or (killer and row.id > killer[0]):
            self.suspicion.killer.pop(shard, None)
            self.suspicion.forgive(self.connection, {shard})
            return 0
        first = self.runner.first_index(row)
        if killer == (row.id, first):
            log.error("set aside observation %s of queue row %s: %s", first, row.id, KILLED_ITS_PROCESS)
            self.runner.run_observation(row, set_aside=KILLED_ITS_PROCESS)
            return 1
        self.suspicion.name(self.connection, shard, row.id, first)
        self.runner.run_observation(row)
        return 1


def own_shards(stopping: threading.Event) -> None:
    """Serve until told to stop. What is not the data's fault (connection, locks, resources) is tried again with back-off."""
    pause = FIRST_PAUSE_S
    while not stopping.is_set():
        owner: Owner | None = None
        try:
            owner = open_owner()
            watch_below(owner)
            pause = FIRST_PAUSE_S
            owner.serve(stopping)
        except (psycopg.OperationalError, psycopg.InterfaceError, errors.InternalError, NoInstance) as error:
            log.warning("starting again in %.1f s: %s", pause, error)
            if owner is not None:
                owner.ended.set()
                owner.connection.close()
            stopping.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)


def watch_for_stalled(stopping: threading.Event) -> None:
    """End the backends of owners that stopped making batches, so that their shards are free."""
    while not stopping.wait(WATCHDOG_S):
        try:
            with connect("rtcc watchdog") as connection:
                for pid in shards.end_stalled(connection):
                    log.error("ended backend %s: it made no batch in %s s while rows wait", pid, shards.STALLED_AFTER_S)
        except psycopg.Error as error:
            log.warning("the watchdog could not look: %s", error)


def warm_up() -> None:
    """Do before the first batch what would stand in its way. numpy loads its masked arrays when np.unique is first called
    (0.1 s). And batches make thousands of small things without cycles, as the memory of tracks is made of: a third of a first
    report's time went into looking for cycles among them; what is loaded by now is never looked at again, the rest rarely."""
    import_module("numpy.ma")
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def main() -> None:
    warm_up()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    for beside in (watch_for_stalled, aging.remove_what_is_old, aging.prove_days):
        threading.Thread(target=beside, args=[stopping], daemon=True).start()
    telling = reporting.start("pipeline")
    own_shards(stopping)
    telling.set()
