"""What devices say of themselves becomes assignments and names, each batch by what was known before."""

from collections.abc import Callable

import redis
from django.conf import settings

from apps.layers.hints import HINTS, LayerChange, read
from tests.apps.pipeline.feeding import START_US, Feed, fix

ASSIGNED = """
    SELECT t.identity, u.call_sign, extract(epoch FROM a.starts_at)::float8 - %s, extract(epoch FROM a.ends_at)::float8 - %s
    FROM units_assignment a JOIN units_unit u ON u.id = a.unit_id JOIN tracks_track t ON t.id = a.track_id ORDER BY 1, 3
"""


def assigned(feed: Feed) -> list[tuple[str, str, float, float | None]]:
    """Return (device, call sign, second of the start, second of the end) of all assignments."""
    return feed.rows(ASSIGNED, START_US / 1e6, START_US / 1e6)


def test_a_first_report_with_a_call_sign_opens_an_assignment(feed: Feed) -> None:
    feed.send(fix("a", 0, call_sign="4A12"), fix("b", 1, call_sign="Straße 9"), fix("c", 1))
    assert assigned(feed) == [("a", "4A12", 0, None), ("b", "Straße 9", 1, None)]


def test_another_call_sign_ends_the_assignment_before_and_leaves_others_alone(feed: Feed) -> None:
    feed.send(fix("a", 0, call_sign="4A12"), fix("b", 0, call_sign="5B1"))
    feed.send(fix("a", 7, call_sign="4A13"), fix("b", 7, call_sign="5B1"), fix("c", 7, call_sign="4A12"))
    assert assigned(feed) == [("a", "4A12", 0, 7), ("a", "4A13", 7, None), ("b", "5B1", 0, None), ("c", "4A12", 7, None)]


def test_an_assignment_that_people_made_since_ends_too(feed: Feed) -> None:
    feed.send(fix("a", 0), fix("b", 0, call_sign="5B1"))
    feed.connection.execute(
        """INSERT INTO units_assignment (unit_id, track_id, vehicle, crew, shift, beat, starts_at, recorded_at)
        SELECT u.id, t.id, '', '[]', '', '', to_timestamp(%s), now() FROM units_unit u, tracks_track t WHERE t.identity = 'a'""",
        [START_US / 1e6 + 1],
    )
    feed.send(fix("a", 9, call_sign="4A12"))
    assert assigned(feed) == [("a", "5B1", 1, 9), ("a", "4A12", 9, None), ("b", "5B1", 0, None)]


def test_a_new_name_or_kind_changes_the_devices_row_and_is_told_under_a_revision(feed: Feed) -> None:
    feed.send(fix("a", 0, name="Car 1"), fix("b", 0, name="Car 2"))
    feed.send(fix("a", 1, name="Bike 1", kind="bicycle"), fix("b", 1))
    rows = feed.rows("SELECT name, kind, rev > 0 FROM tracks_track ORDER BY identity")
    assert rows == [("Bike 1", "bicycle", True), ("Car 2", "car", False)]


def hinted(feed: Feed, run: Callable[[], object]) -> list[LayerChange]:
    """Return what hubs hear of the units while something runs."""
    with redis.Redis.from_url(settings.REDIS_URL).pubsub() as channel:
        channel.subscribe(HINTS)
        while channel.get_message(timeout=5)["type"] != "subscribe":
            continue
        run()
        heard = []
        while message := channel.get_message(timeout=0.3):
            heard += [change for change in read(message["data"]).layers if change.layer == "units"]
    return heard


def test_hubs_hear_of_a_new_device_with_its_first_position(feed: Feed) -> None:
    (change,) = hinted(feed, lambda: feed.send(fix("a", 0, call_sign="4A12", name="Car 1"), fix("b", 1), fix("b", 2)))
    ids = dict(feed.rows("SELECT identity, id FROM tracks_track"))
    slug, interval_s = feed.rows("SELECT slug, interval_s FROM ingest_source")[0]
    assert sorted(change.introduced) == [
        (ids["a"], "4A12", "Car 1", "car", "simulated", slug, interval_s),
        (ids["b"], None, "", "car", "simulated", slug, interval_s),
    ]
    assert change.records is not None


def test_hubs_read_by_themselves_what_a_known_device_says_anew(feed: Feed) -> None:
    """People may have assigned it since: only the database knows."""
    feed.send(fix("a", 0), fix("b", 0))
    (plain,) = hinted(feed, lambda: feed.send(fix("b", 1)))
    (renamed,) = hinted(feed, lambda: feed.send(fix("a", 1, name="Car 1"), fix("b", 2), fix("new", 0)))
    assert (plain.records is not None, plain.introduced) == (True, [])
    assert (renamed.records, renamed.introduced) == (None, [])
