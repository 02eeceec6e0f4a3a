"""`watch`: what happens once at a time in an instance, whoever runs. One process is active by an advisory lock on the connection that
also does the work; others stand by and take over within seconds."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from apps.audit.duties import Keeper
from apps.audit.memory import Memory
from apps.audit.signing import KeyMissing
from apps.pipeline.owner import connect
from apps.processes import reporting
from apps.processes.counting import counts

log = logging.getLogger(__name__)
Connection = psycopg.Connection[Any]
LOCK = "SELECT pg_try_advisory_lock(%s, 0)"
CLASS = 0x525457
STAND_BY_S = 1.0
AGAIN_S = 1.0
TURN_S = 0.2


@dataclass
class Duty:
    """Something to be done every so many seconds. It may take half a second; the others wait for it."""

    every_s: float
    run: Callable[[], object]
    due: float = 0.0


def duties(connection: Connection, memory: Memory) -> tuple[Duty, ...]:
    """Return everything that `watch` does, in order."""
    audit = Keeper(connection, memory)
    return (
        Duty(1.0, audit.seal),
        Duty(60.0, audit.write_head),
        Duty(1.0, audit.verify),
        Duty(10.0, audit.settle_refusals),
    )


def watch(stopping: threading.Event, memory: Memory) -> None:
    """Be active while the lock is ours, until told to stop; then write down what is known. `memory` outlives the connection."""
    with connect("rtcc watch") as connection:
        while not stopping.is_set() and not _is_ours(connection):
            counts.turn()
            stopping.wait(STAND_BY_S)
        if stopping.is_set():
            return
        log.info("active")
        wanted = duties(connection, memory)
        while not stopping.is_set():
            counts.turn()
            for duty in wanted:
                _turn(duty)
            stopping.wait(TURN_S)
        for duty in wanted[:2]:
            duty.run()


def _is_ours(connection: Connection) -> bool:
    row = connection.execute(LOCK, [CLASS]).fetchone()
    return bool(row and row[0])


def _turn(duty: Duty) -> None:
    """Do what is due. What fails is told and tried again at its next turn; a connection that is gone ends all."""
    if time.monotonic() < duty.due:
        return
    try:
        duty.run()
    except (psycopg.OperationalError, psycopg.InterfaceError):
        raise
    except (psycopg.Error, OSError, KeyMissing):
        log.exception("a duty of watch failed and is tried again")
    duty.due = time.monotonic() + duty.every_s


def main() -> None:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    reporting.start("watch")
    memory = Memory()
    while not stopping.is_set():
        try:
            watch(stopping, memory)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            log.warning("starting again in %.0f s: %s", AGAIN_S, error)
            stopping.wait(AGAIN_S)
