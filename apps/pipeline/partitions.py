"""Days of history: made ahead, and made when an old day is asked for. How they go: tracks.retention."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from apps.tracks.days import date_of, day_of, name_of

DAYS_AHEAD = 14
DAY_US = 86_400_000_000
LOCK = "SELECT pg_advisory_xact_lock(hashtext('rtcc partitions'))"
DAYS = """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'tracks_fix'::regclass
"""
known: set[int] = set()
"""Days since 1970 that have a partition, as far as this process knows."""


class DaysMissing(Exception):
    """History has no partition for these days (since 1970) yet: make them and run the batch again."""

    def __init__(self, days: Iterable[int]) -> None:
        self.days = sorted(days)
        super().__init__(f"no partition for {', '.join(name_of(day) for day in self.days)}")


def require_days(observed_us: NDArray[np.int64]) -> None:
    """Raises DaysMissing."""
    missing = set(np.unique(observed_us // DAY_US).tolist()) - known
    if missing:
        raise DaysMissing(missing)


def make_days(connection: psycopg.Connection[Any], days: Iterable[int]) -> None:
    """Make the partitions that do not exist: CREATE, then ATTACH, which does not stall behind readers."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(LOCK)
        existing = {row[0] for row in cursor.execute(DAYS).fetchall()}
        for day in days:
            if name_of(day) not in existing:
                _make(cursor, day)
    known.update(days)


def _make(cursor: psycopg.Cursor[Any], day: int) -> None:
    name, start, end = name_of(day), date_of(day), date_of(day + 1)
    cursor.execute(f"CREATE TABLE {name} (LIKE tracks_fix INCLUDING ALL)")
    cursor.execute(f"ALTER TABLE tracks_fix ATTACH PARTITION {name} FOR VALUES FROM ('{start} 00:00+00') TO ('{end} 00:00+00')")


def keep_ahead(connection: psycopg.Connection[Any], at: datetime) -> None:
    """Make today's partition and those of the next 14 days."""
    today = day_of(at)
    wanted = set(range(today - 1, today + DAYS_AHEAD + 1))
    if not wanted <= known:
        make_days(connection, sorted(wanted - known))
