"""Days of history come ahead of time and go when retention has passed, whatever died in between."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors

from apps.pipeline import partitions
from tests.apps.pipeline.feeding import START_US, Feed, fix, prepared

DAY = timedelta(days=1)
OLD = datetime(2019, 3, 5, tzinfo=UTC)
LIMIT = OLD + 2 * DAY


@pytest.fixture
def days(feed: Feed) -> Iterator[Feed]:
    """Partitions of 4 to 7 March 2019; what a test leaves of them is dropped."""
    partitions.make_days(feed.connection, range(partitions.day_of(OLD) - 1, partitions.day_of(OLD) + 3))
    yield feed
    partitions.drop_before(feed.connection, LIMIT + 2 * DAY)


def stored(connection: "psycopg.Connection[Any]") -> list[str]:
    return [row[0] for row in connection.execute(partitions.STORED).fetchall() if row[0] < "tracks_fix_2020"]


def test_it_makes_yesterdays_partition_and_14_ahead(feed: Feed) -> None:
    partitions.keep_ahead(feed.connection, datetime.now(UTC))
    names = {row[0] for row in feed.rows("SELECT relname FROM pg_class WHERE relname LIKE 'tracks_fix_2%%' AND relkind = 'r'")}
    assert f"tracks_fix_{datetime.now(UTC) + timedelta(days=14):%Y_%m_%d}" in names
    assert f"tracks_fix_{datetime.now(UTC) - timedelta(days=1):%Y_%m_%d}" in names


def test_days_that_lie_whole_before_the_limit_are_dropped(days: Feed) -> None:
    assert partitions.drop_before(days.connection, LIMIT + timedelta(hours=5)) == [
        "tracks_fix_2019_03_04", "tracks_fix_2019_03_05", "tracks_fix_2019_03_06",
    ]  # fmt: skip
    assert stored(days.connection) == ["tracks_fix_2019_03_07"]
    assert partitions.day_of(OLD) not in partitions.known
    assert partitions.day_of(LIMIT) in partitions.known


def test_one_process_at_a_time_drops(days: Feed) -> None:
    with prepared("another") as other:
        other.execute("SELECT pg_advisory_lock(hashtext('rtcc partitions dropped'))")
        assert partitions.drop_before(days.connection, LIMIT) == []
    assert len(stored(days.connection)) == 4


def test_what_was_left_on_its_way_out_is_dropped(days: Feed) -> None:
    """DETACH … CONCURRENTLY was cut off while it waited for a reader; PostgreSQL detaches no other before that one is gone."""
    with prepared("a reader") as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM tracks_fix")
        days.connection.execute("SET statement_timeout = '200ms'")
        with pytest.raises(errors.QueryCanceled):
            partitions.drop_before(days.connection, LIMIT)
        days.connection.execute("RESET statement_timeout")
    days.connection.execute("SELECT pg_advisory_unlock_all()")
    assert (stored(days.connection)[0], True, True) in days.rows(partitions.STORED.replace("%", "%%"))
    assert len(partitions.drop_before(days.connection, LIMIT)) == 3


def test_what_was_left_detached_is_dropped(days: Feed) -> None:
    """Killed between DETACH and DROP: its day could never be made again."""
    days.connection.execute("ALTER TABLE tracks_fix DETACH PARTITION tracks_fix_2019_03_04 CONCURRENTLY")
    assert "tracks_fix_2019_03_04" in partitions.drop_before(days.connection, LIMIT)
    partitions.make_days(days.connection, [partitions.day_of(OLD) - 1])
    assert "tracks_fix_2019_03_04" in stored(days.connection)


def test_a_batch_makes_a_day_anew_that_was_dropped_under_it(feed: Feed) -> None:
    feed.send(fix("a", 0))
    day = partitions.day_of(datetime.fromtimestamp(START_US / 1e6, UTC))
    feed.connection.execute("DELETE FROM tracks_fix")
    with prepared("retention") as other:
        other.execute(f"ALTER TABLE tracks_fix DETACH PARTITION {partitions.name_of(day)} CONCURRENTLY")
        other.execute(f"DROP TABLE {partitions.name_of(day)}")
    feed.send(fix("a", 1))
    assert [row[1] for row in feed.stored()] == [1]
