"""Tasks that last as long as the process. One that ends before its time starts again, or ends the process, whose supervisor starts it anew:
a process that only looks alive is worse than one that is gone."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)
GOODBYE_S = 5.0


class Ended(Exception):
    """A loop that should have gone on came to its end."""


def end_process() -> None:
    """Ask this process to end in order; after GOODBYE_S it ends as it is (what was acknowledged is committed)."""
    os.kill(os.getpid(), signal.SIGTERM)
    leaving = threading.Timer(GOODBYE_S, os._exit, [1])
    leaving.daemon = True
    leaving.start()


def keep(task: "asyncio.Task[None]") -> "asyncio.Task[None]":
    """End the process when the task ends and nobody cancelled it. Returns the task."""
    task.add_done_callback(_ended)
    return task


def _ended(task: "asyncio.Task[None]") -> None:
    if task.cancelling():
        return
    error = None if task.cancelled() else task.exception()
    log.critical("%s ended, and with it this process", task.get_name(), exc_info=error)
    end_process()


async def endless(run: Callable[[], Awaitable[None]]) -> None:
    """Run what should never end. Raises Ended when it does, also when it was cancelled from within."""
    name = getattr(run, "__qualname__", repr(run))
    try:
        await run()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Ended(f"{name} was cancelled by nobody") from None
    raise Ended(f"{name} came to its end")


async def again(run: Callable[[], Awaitable[None]], *, pause_s: float) -> None:
    """Run what should never end, until cancelled; when it fails it says so and starts again."""
    while True:
        try:
            await endless(run)
        except Exception:
            log.exception("a task failed and starts again in %g s", pause_s)
        await asyncio.sleep(pause_s)
