"""Fixes written into history and into the latest positions with COPY."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from django.db import connection

from apps.geo.binary_array import INT8, integers, send_packed
from apps.geo.clock import microseconds, moment
from apps.ingest.models import Source
from apps.tracks import history, latest
from apps.tracks.arrays import FixArrays
from apps.tracks.models import Track
from apps.tracks.records import CLOCK_OFF
from apps.units.layers import positions_after
from tests.world import NOON, make_agency, make_day, make_source, make_track

pytestmark = pytest.mark.django_db(transaction=True)
NOON_US = microseconds(NOON)
SECOND = 1_000_000


@pytest.fixture
def track() -> Track:
    make_day(NOON)
    return make_track(make_source(make_agency()))


@pytest.fixture
def cursor(track: Track) -> Iterator["psycopg.Cursor[Any]"]:
    """A cursor of an owner's connection; what it did is undone."""
    facts = connection.settings_dict
    with psycopg.connect(host=facts["HOST"], port=facts["PORT"], user=facts["USER"], dbname=facts["NAME"]) as own:
        send_packed(own)
        cursor = own.cursor()
        history.prepare(cursor)
        yield cursor
        own.rollback()


def fixes(track: Track, seconds: list[int], lons: list[float] | None = None, offset_ms: int = 0) -> FixArrays:
    count = len(seconds)
    observed = NOON_US + np.array(seconds, np.int64) * SECOND
    unknown = np.full(count, np.nan)
    speed = np.arange(count, dtype=np.float64)
    speed[::2] = np.nan
    return FixArrays(
        slot=np.zeros(count, np.int64), track_id=np.full(count, track.pk), observed_us=observed, received_us=observed + 5,
        lon=np.array(lons or [-95.36] * count), lat=np.full(count, 29.76), altitude_m=unknown, speed_mps=speed, heading_deg=unknown,
        accuracy_m=unknown, status=np.full(count, 3, np.int16), clock_offset_ms=np.full(count, offset_ms, np.int32),
    )  # fmt: skip


def newer(*flags: bool) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.array(flags, bool)


def stored(cursor: "psycopg.Cursor[Any]") -> list[tuple[Any, ...]]:
    return cursor.execute(
        "SELECT observed_at, ST_X(geom), ST_SRID(geom), speed_mps, heading_deg, status, recorded_at FROM tracks_fix ORDER BY observed_at"
    ).fetchall()


def test_new_fixes_are_stored_and_unknown_is_null(track: Track, cursor: "psycopg.Cursor[Any]") -> None:
    assert history.record(cursor, fixes(track, [0, 1]), newer=newer(True, True), recorded_us=NOON_US + 9) == {}
    first, second = stored(cursor)
    assert first == (NOON, -95.36, 4326, None, None, 3, moment(NOON_US + 9))
    assert second[3] == 1.0


def test_a_late_fix_goes_to_history(track: Track, cursor: "psycopg.Cursor[Any]") -> None:
    history.record(cursor, fixes(track, [5]), newer=newer(True), recorded_us=NOON_US)
    assert history.record(cursor, fixes(track, [1]), newer=newer(False), recorded_us=NOON_US) == {0: "late"}
    assert len(stored(cursor)) == 2


def test_the_same_again_is_repeated_and_other_content_conflicts(track: Track, cursor: "psycopg.Cursor[Any]") -> None:
    history.record(cursor, fixes(track, [5]), newer=newer(True), recorded_us=NOON_US)
    again = fixes(track, [5, 5], [-95.36, -90.0])
    again.speed_mps[:] = np.nan
    assert history.record(cursor, again, newer=newer(False, False), recorded_us=NOON_US) == {0: "repeated", 1: "conflicting"}
    assert [row[1] for row in stored(cursor)] == [-95.36]


def test_of_two_late_fixes_of_one_time_the_first_is_stored(track: Track, cursor: "psycopg.Cursor[Any]") -> None:
    history.record(cursor, fixes(track, [5]), newer=newer(True), recorded_us=NOON_US)
    twins = fixes(track, [1, 1, 1], [-95.0, -94.0, -95.0])
    twins.speed_mps[:] = np.nan
    outcomes = history.record(cursor, twins, newer=newer(False, False, False), recorded_us=NOON_US)
    assert outcomes == {0: "late", 1: "conflicting", 2: "repeated"}
    assert stored(cursor)[0][1] == -95.0


def test_a_mixed_batch_tells_each_by_its_place(track: Track, cursor: "psycopg.Cursor[Any]") -> None:
    batch = fixes(track, [5, 2, 6])
    assert history.record(cursor, batch, newer=newer(True, False, True), recorded_us=NOON_US) == {1: "late"}
    assert len(stored(cursor)) == 3


def test_positions_are_replaced_and_read_back_as_the_hint_packs_them(track: Track, cursor: "psycopg.Cursor[Any]") -> None:
    for rev, (second, lon) in enumerate([(0, -95.1234567), (7, -95.7654321)], start=1):
        one = fixes(track, [second], [lon], offset_ms=61_000)
        agency, revs = np.array([track.agency_id]), np.array([rev])
        place = np.zeros(1, np.int64)
        latest.write(cursor, one, place=place, first=np.array([rev == 1]), agency_id=agency, rev=revs, recorded_us=NOON_US)
        (record,) = positions_after(cursor, track.agency_id, rev - 1)
        assert record.tobytes() == latest.packed(one)[0].tobytes()
        assert record["flags"] == CLOCK_OFF
    assert len(positions_after(cursor, track.agency_id, 2)) == 0


def write(cursor: "psycopg.Cursor[Any]", track: Track, *, first: bool = False, place: int = 0, second: int = 0) -> latest.Left:
    agency, rev, where = np.array([track.agency_id]), np.array([1]), np.array([place])
    one = fixes(track, [second])
    return latest.write(cursor, one, place=where, first=np.array([first]), agency_id=agency, rev=rev, recorded_us=NOON_US)


def positions(cursor: "psycopg.Cursor[Any]") -> list[tuple[Any, ...]]:
    return cursor.execute("SELECT track_id, observed_at FROM tracks_position ORDER BY 1").fetchall()


def test_a_position_that_was_deleted_since_is_written_anew(track: Track, cursor: "psycopg.Cursor[Any]") -> None:
    write(cursor, track)
    assert positions(cursor) == [(track.pk, NOON)]


def test_a_row_is_found_where_it_was_left_or_by_its_key(track: Track, cursor: "psycopg.Cursor[Any]") -> None:
    other = make_track(Source.objects.get(pk=track.source_id), "other")
    for one in (other, track):
        write(cursor, one, first=True)
    left = write(cursor, track, second=1)
    assert left.track_id.tolist() == [track.pk]
    again = write(cursor, track, second=2, place=int(left.place[0]))
    moved = latest.tag(cursor, {track.pk: (4,)})
    assert (moved.track_id.tolist(), moved.place.tolist() != again.place.tolist()) == ([track.pk], True)
    for place in (int(again.place[0]), int(write(cursor, other, second=3).place[0]), 2**40):
        write(cursor, track, second=4, place=place)
        assert dict(positions(cursor)) == {track.pk: NOON + timedelta(seconds=4), other.pk: NOON + timedelta(seconds=3)}
        write(cursor, track, second=2)


def test_a_row_is_looked_for_at_its_place_and_not_by_its_key(track: Track, cursor: "psycopg.Cursor[Any]") -> None:
    sent = [*history.arrays(fixes(track, [0]), NOON_US), integers(INT8, [1]), integers(INT8, [1]), latest.places(np.array([1]))]
    plan = "\n".join(row[0] for row in cursor.execute(f"EXPLAIN {latest.UPDATE}", sent).fetchall())
    assert "Tid Scan" in plan
    assert "Index" not in plan


def test_boundaries_are_tagged_by_track(track: Track, cursor: "psycopg.Cursor[Any]") -> None:
    write(cursor, track, first=True)
    latest.tag(cursor, {track.pk: (4, 9)})
    assert cursor.execute("SELECT boundaries FROM tracks_position").fetchall() == [([4, 9],)]
    latest.tag(cursor, {track.pk: ()})
    assert cursor.execute("SELECT boundaries FROM tracks_position").fetchall() == [([],)]


def test_chosen_fixes_are_taken_in_the_order_of_choice(track: Track) -> None:
    chosen = fixes(track, [0, 1, 2]).take(np.array([2, 0]))
    assert len(chosen) == 2
    assert chosen.observed_us.tolist() == [NOON_US + 2 * SECOND, NOON_US]
