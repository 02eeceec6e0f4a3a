"""Retention beside the batches, since it must go on with Redis dead: one process of all removes, the others look whether it lives.

It waits for those who read (fifty days at once, when a replay's clock jumps, once kept a pipeline from its work for longer than a
map may be stale), so it has a thread and a connection of its own. Proofs have another: to count takes longer than a turn may.
"""

import logging
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import Error, connection

from apps.accounts.instance import NoInstance, read_instance
from apps.retention import proof
from apps.retention.turn import LockLost, take_turn
from apps.retention.watermarks import Unreadable

log = logging.getLogger(__name__)
EVERY_S = 10.0
SOON_S = 1.0
PROVE_S = 60.0


def remove_what_is_old(stopping: threading.Event) -> None:
    """A turn each 10 s, and at once when one did not come to the end."""
    _again(stopping, _turn, EVERY_S)


def prove_days(stopping: threading.Event) -> None:
    """Close each day once it is over."""
    _again(stopping, _prove, PROVE_S)


def _turn() -> float:
    done = take_turn(at=read_instance().clock.now(), real=datetime.now(UTC), process=f"pipeline {os.getpid()}")
    return EVERY_S if done is None or done.finished or done.is_stuck else SOON_S


def _prove() -> float:
    at = read_instance().clock.now()
    for day in proof.due_days(at)[:1]:
        lines = proof.close_day(day, at=at, real=datetime.now(UTC), process=f"pipeline {os.getpid()}")
        log.info("retention of %s is proved in %d lines", day, len(lines))
    return PROVE_S


def _again(stopping: threading.Event, job: Callable[[], float], pause_s: float) -> None:
    """Do a job until told to stop; what fails is said, and tried again after the pause."""
    wait_s = min(pause_s, 5.0)
    while not stopping.wait(wait_s):
        try:
            wait_s = job()
        except (Error, NoInstance, Unreadable, LockLost, OSError) as error:
            log.warning("retention could not go on: %s", error)
            wait_s = pause_s
        finally:
            connection.close()
