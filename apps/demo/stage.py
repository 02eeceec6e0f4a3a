"""Prepare a demonstration's database for another story: silence all sources, empty what moves, set the clock, and say that
history is another.

Sources are silenced first, and every process is given time to know it, so that nothing of the old story comes after. Then all the
rest is one transaction: whoever reads the instance's new generation finds the emptied tables, the new clock and the new sources.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import OperationalError, connection, transaction

from apps.accounts import epoch
from apps.accounts.instance import read_instance
from apps.accounts.models import InstanceKind
from apps.audit.operations import record

# What moves, in one statement. A table that points to one of these and is not named makes PostgreSQL refuse: add it here.
MOVING = (
    "ingest_inbound",
    "ingest_post",
    "ingest_outcome",
    "ingest_reject",
    "geofences_presence",
    "geofences_transition",
    "incidents_callstanding",
    "incidents_callrevision",
    "incidents_call",
    "tracks_fix",
    "tracks_position",
    "units_assignment",
    "tracks_track",
)
EMPTY = f"TRUNCATE {', '.join(MOVING)}"
FORGET = """
    UPDATE ingest_sourcehealth SET last_message_at = NULL, messages = 0, observations = 0, rejects = 0,
        last_error = '', last_error_at = NULL, clock_offset_ms = NULL
"""
BEGIN_ANEW = """
    UPDATE accounts_instance SET clock_t0 = %s, clock_real0 = %s, clock_speed = %s, generation = generation + 1 RETURNING generation
"""
SILENCE = "UPDATE ingest_source SET enabled = FALSE WHERE enabled"
LISTEN = "UPDATE ingest_source SET enabled = TRUE WHERE slug = ANY(%s)"
SET_LINE = "UPDATE accounts_instance SET clock_t0 = %s, clock_real0 = %s, clock_speed = %s WHERE generation = %s"
ATTEMPTS = 20
KNOWN_EVERYWHERE_S = 2.5  # front doors, hubs and the patrol look once a second


class NotADemonstration(Exception):
    """Only a demonstration holds simulated and replayed data, and only its tables may be emptied and its clock set."""


@dataclass(frozen=True)
class Line:
    """The clock shows `t0` at the real moment `real0` and runs `speed` times as fast; None for both is the real time."""

    t0: datetime | None
    real0: datetime | None
    speed: float = 1.0


REAL_TIME = Line(None, None)


def check_demonstration() -> None:
    """Raises NotADemonstration, accounts.instance.NoInstance."""
    if read_instance().kind != InstanceKind.DEMO:
        raise NotADemonstration("simulated and replayed data may only enter a demonstration; this instance is operational")


def begin_anew(line: Line, sources: Sequence[str]) -> int:
    """Empty what moves, set the clock, and listen to these sources (slugs) only. Return the new generation.

    Takes some seconds: for every process to know that the old sources are silent, and for batches that are being processed.
    Raises NotADemonstration; OperationalError when the tables stay busy.
    """
    check_demonstration()
    silence()
    time.sleep(KNOWN_EVERYWHERE_S)
    for attempt in range(ATTEMPTS):
        try:
            return _begin_anew(line, sources)
        except OperationalError:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.25)
    raise AssertionError("unreachable")


@transaction.atomic
def silence() -> None:
    """Switch every source off."""
    with connection.cursor() as cursor:
        cursor.execute(SILENCE)
        if cursor.rowcount:
            record("sources_silenced", target="sources", count=cursor.rowcount)
    epoch.tell()


@transaction.atomic
def _begin_anew(line: Line, sources: Sequence[str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        cursor.execute(EMPTY)
        cursor.execute(FORGET)
        cursor.execute("DELETE FROM layers_tombstone WHERE layer IN ('units', 'calls')")
        cursor.execute(LISTEN, [list(sources)])
        cursor.execute(BEGIN_ANEW, [line.t0, line.real0, line.speed])
        generation = int(cursor.fetchone()[0])
    facts = {"sources": list(sources), "clock": line.t0.isoformat() if line.t0 else "real time"}
    record("history_begun_anew", target=f"generation:{generation}", detail=facts)
    epoch.tell()
    return generation


def set_line(line: Line, *, generation: int) -> bool:
    """Change the clock of that generation only; return whether it still is the one."""
    with connection.cursor() as cursor:
        cursor.execute(SET_LINE, [line.t0, line.real0, line.speed, generation])
        return bool(cursor.rowcount)
