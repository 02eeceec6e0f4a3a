"""Days of history: made ahead, made when an old day is asked for, dropped when retention has passed."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from apps.geo.clock import EPOCH

DAYS_AHEAD = 14
DAY_US = 86_400_000_000
LOCK = "SELECT pg_advisory_xact_lock(hashtext('rtcc partitions'))"
DAYS = """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'tracks_fix'::regclass
"""
STORED = """
    SELECT c.relname, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false)
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'tracks_fix'::regclass
    WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid) AND c.relname ~ '^tracks_fix_[0-9]{4}_[0-9]{2}_[0-9]{2}$' ORDER BY 1
"""
known: set[int] = set()
"""Days since 1970 that have a partition, as far as this process knows."""


class DaysMissing(Exception):
    """History has no partition for these days (since 1970) yet: make them and run the batch again."""

    def __init__(self, days: Iterable[int]) -> None:
        self.days = sorted(days)
        super().__init__(f"no partition for {', '.join(name_of(day) for day in self.days)}")


def day_of(at: datetime) -> int:
    return (at - EPOCH).days


def date_of(day: int) -> date:
    return EPOCH.date() + timedelta(days=day)


def name_of(day: int) -> str:
    return f"tracks_fix_{date_of(day):%Y_%m_%d}"


def day_named(name: str) -> int:
    return day_of(datetime.strptime(name, "tracks_fix_%Y_%m_%d").replace(tzinfo=UTC))


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


def drop_before(connection: psycopg.Connection[Any], limit: datetime) -> list[str]:
    """Drop the partitions whose whole day lies before the limit; return their names. One process at a time; the others
    return at once. Detached without stalling readers, so the connection must be in autocommit; it waits for those who read.
    What a killed process left half done (a partition on its way out, or out and not dropped) is done too."""
    row = connection.execute("SELECT pg_try_advisory_lock(hashtext('rtcc partitions dropped'))").fetchone()
    if not row or not row[0]:
        return []
    last, dropped = name_of(day_of(limit.astimezone(UTC))), []
    for name, is_partition, is_leaving in connection.execute(STORED).fetchall():
        if name < last:
            if is_partition:
                connection.execute(f"ALTER TABLE tracks_fix DETACH PARTITION {name} {'FINALIZE' if is_leaving else 'CONCURRENTLY'}")
            connection.execute(f"DROP TABLE {name}")
            known.discard(day_named(name))
            dropped.append(name)
    connection.execute("SELECT pg_advisory_unlock(hashtext('rtcc partitions dropped'))")
    return dropped
