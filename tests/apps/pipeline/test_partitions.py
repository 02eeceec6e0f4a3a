"""Days of history come ahead of time, and come again when one was dropped under a batch. How they go: tests of retention."""

from datetime import UTC, datetime, timedelta

from apps.pipeline import partitions
from apps.tracks.days import day_of, name_of
from tests.apps.pipeline.feeding import START_US, Feed, fix, prepared


def test_it_makes_yesterdays_partition_and_14_ahead(feed: Feed) -> None:
    partitions.keep_ahead(feed.connection, datetime.now(UTC))
    names = {row[0] for row in feed.rows("SELECT relname FROM pg_class WHERE relname LIKE 'tracks_fix_2%%' AND relkind = 'r'")}
    assert f"tracks_fix_{datetime.now(UTC) + timedelta(days=14):%Y_%m_%d}" in names
    assert f"tracks_fix_{datetime.now(UTC) - timedelta(days=1):%Y_%m_%d}" in names


def test_a_batch_makes_a_day_anew_that_was_dropped_under_it(feed: Feed) -> None:
    feed.send(fix("a", 0))
    day = day_of(datetime.fromtimestamp(START_US / 1e6, UTC))
    feed.connection.execute("DELETE FROM tracks_fix")
    with prepared("retention") as other:
        other.execute(f"ALTER TABLE tracks_fix DETACH PARTITION {name_of(day)} CONCURRENTLY")
        other.execute(f"DROP TABLE {name_of(day)}")
    feed.send(fix("a", 1))
    assert [row[1] for row in feed.stored()] == [1]
