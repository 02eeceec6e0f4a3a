"""The days of history: the names of their partitions, and how one goes."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from apps.geo.clock import EPOCH
from apps.layers.definition import Cursor

STORED = """
    SELECT c.relname, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false)
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'tracks_fix'::regclass
    WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid) AND c.relname ~ '^tracks_fix_[0-9]{4}_[0-9]{2}_[0-9]{2}$' ORDER BY 1
"""


class StoredDay(NamedTuple):
    """A day's table. What a killed process left half done is a partition on its way out, or one that is out and was not dropped."""

    name: str
    is_partition: bool
    is_leaving: bool

    @property
    def day(self) -> int:
        return day_of(datetime.strptime(self.name, "tracks_fix_%Y_%m_%d").replace(tzinfo=UTC))


def day_of(at: datetime) -> int:
    return (at - EPOCH).days


def date_of(day: int) -> date:
    return EPOCH.date() + timedelta(days=day)


def name_of(day: int) -> str:
    return f"tracks_fix_{date_of(day):%Y_%m_%d}"


def stored_days(cursor: Cursor) -> list[StoredDay]:
    """Return the days that have a table, oldest first."""
    cursor.execute(STORED)
    return [StoredDay(*row) for row in cursor.fetchall()]


def detach(cursor: Cursor, stored: StoredDay) -> None:
    """Take a day out of history, without stalling readers: outside of a transaction. Waits for those who read it."""
    if stored.is_partition:
        cursor.execute(f"ALTER TABLE tracks_fix DETACH PARTITION {stored.name} {'FINALIZE' if stored.is_leaving else 'CONCURRENTLY'}")
