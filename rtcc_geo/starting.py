"""An operational instance does not start while something of it is exposed, whoever starts it."""

import asyncio
import logging
import os
import signal

from rtcc_geo.exposed import DatabaseAway, look
from rtcc_geo.exposure import Finding, Seen, refusals

log = logging.getLogger(__name__)
AGAIN_S = 2.0


class Exposed(Exception):
    """What keeps this instance from starting has been logged."""


async def refuse_while_exposed() -> "asyncio.Task[None] | None":
    """Raises Exposed. While the database is away, or not set up, nobody can say what kind of instance this is: the answer is then
    waited for in a task, which ends the process should it be bad."""
    return None if await is_judged() else asyncio.create_task(wait_for_the_database(), name="exposure")


async def wait_for_the_database() -> None:
    try:
        while not await is_judged():
            await asyncio.sleep(AGAIN_S)
    except Exposed:
        os.kill(os.getpid(), signal.SIGTERM)


async def is_judged() -> bool:
    """Say whether the database tells what kind of instance this is. Raises Exposed when it must not start."""
    try:
        seen = await asyncio.to_thread(look)
    except DatabaseAway:
        return False
    judge(seen)
    return seen.database.kind is not None


def judge(seen: Seen) -> None:
    """Raises Exposed when something keeps the instance from starting; says what, and what to do."""
    bad = refusals(seen)
    for one in bad:
        log.critical("%s", sentence(one))
    if bad:
        raise Exposed(f"{len(bad)} of this operational instance's settings expose it; see ./rtcc doctor --exposure")


def sentence(one: Finding) -> str:
    return f"not started, {one.check}: {one.problem}. {one.advice[0].upper()}{one.advice[1:]}."
