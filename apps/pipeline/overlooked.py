"""A net below the floors: look from time to time whether a row lies under them, where no take would find it.

None should (see take.Taker). If one does all the same, somebody wrote to the queue in another way than we know: it is said in the
log, and the owner begins again without floors.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from apps.geo.binary_array import INT2, INT8, integers

EVERY_S = 60.0
SPARING = 200
BELOW = """
    SELECT held.shard, lowest.id FROM unnest(%s::smallint[], %s::bigint[]) AS held (shard, floor)
    CROSS JOIN LATERAL (SELECT id FROM ingest_inbound WHERE shard = held.shard ORDER BY id LIMIT 1) lowest WHERE lowest.id < held.floor
"""
log = logging.getLogger(__name__)
Connect = Callable[[str], psycopg.Connection[Any]]


def below(connection: psycopg.Connection[Any], floors: dict[int, int]) -> list[tuple[int, int]]:
    """Return the rows (shard, id) that lie under a floor; of each shard the lowest."""
    return connection.execute(BELOW, [integers(INT2, [*floors]), integers(INT8, [*floors.values()])]).fetchall()


def watch(connect: Connect, floors: Callable[[], dict[int, int]], found: threading.Event, ended: threading.Event) -> None:
    """Look each minute, or rarely enough that it costs 1 part in SPARING of the time: while an old snapshot keeps the dead rows of
    minutes, a look passes them all. `floors()` returns those of now."""
    pause = EVERY_S
    while not ended.wait(pause):
        begun = time.monotonic()
        try:
            with connect("rtcc overlooked") as connection:
                rows = below(connection, floors())
        except psycopg.Error as error:
            log.warning("the queue could not be looked through: %s", error)
            continue
        if rows:
            log.error("rows of the queue lie below what was taken, shard and id: %s", rows)
            found.set()
        pause = max(EVERY_S, SPARING * (time.monotonic() - begun))
