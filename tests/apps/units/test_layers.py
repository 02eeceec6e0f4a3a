"""Where devices are and were, packed for the hub and as GeoJSON for pages."""

from datetime import datetime

import numpy as np
import psycopg
import pytest
from django.db import connection

from apps.accounts.models import Agency
from apps.boundaries.models import Boundary
from apps.geo.clock import microseconds
from apps.ingest.models import Source
from apps.layers.definition import FeatureRow, PageQuery
from apps.layers.window import BBox
from apps.tracks.models import Track
from apps.tracks.records import CLOCK_OFF, POSITION
from apps.units.layers import AMONG, INTRODUCED, introductions, page, positions_after
from apps.units.operations import assign, end_assignment, unit
from tests.world import NOON, make_agency, make_source, make_track, minutes, move, properties

pytestmark = pytest.mark.django_db


@pytest.fixture
def agency() -> Agency:
    return make_agency()


@pytest.fixture
def gps(agency: Agency) -> Source:
    return make_source(agency, "gps", interval_s=5)


def read(
    agency: Agency, *, at: datetime | None = None, known: datetime | None = None, bbox: BBox | None = None, limit: int = 100
) -> list[FeatureRow]:
    with connection.cursor() as cursor:
        return page(cursor, PageQuery([agency.pk], bbox, at, known, (0, 0), limit))


def test_a_unit_says_everything_that_the_interface_names(agency: Agency, gps: Source) -> None:
    track = make_track(gps, name="Car 12")
    assign(unit=unit(agency=agency, call_sign="4A12"), track=track, at=NOON)
    move(track, NOON, -95.36, 29.76, speed_mps=12.1, heading_deg=271, status=3)
    assert properties(read(agency)[0].geojson) == {
        "unit": "4A12", "name": "Car 12", "kind": "car", "agency": "metro", "status": "ENR", "status_label": "En route",
        "speed_mps": 12.1, "heading_deg": 271.0, "accuracy_m": None, "altitude_m": None, "observed_at": "2026-03-01T12:00:00Z",
        "received_at": "2026-03-01T12:00:00Z", "recorded_at": "2026-03-01T12:00:00Z", "origin": "live", "source": "gps",
        "interval_s": 5.0, "is_newest": True, "boundaries": [],
    }  # fmt: skip


def test_a_device_without_unit_or_status_says_none(agency: Agency, gps: Source) -> None:
    move(make_track(gps), NOON, -95, 29)
    told = properties(read(agency)[0].geojson)
    assert (told["unit"], told["status"], told["status_label"]) == (None, None, None)


def test_the_past_shows_the_newest_fix_by_then(agency: Agency, gps: Source) -> None:
    track = make_track(gps)
    for minute in range(5):
        move(track, NOON + minutes(minute), -95 + minute / 10, 29)
    rows = read(agency, at=NOON + minutes(2.5))
    assert properties(rows[0].geojson)["observed_at"] == "2026-03-01T12:02:00Z"
    assert read(agency, at=NOON - minutes(1)) == []


def test_what_was_known_is_bound_by_its_recording(agency: Agency, gps: Source) -> None:
    track = make_track(gps)
    move(track, NOON, -95, 29)
    move(track, NOON + minutes(1), -94, 29, recorded_at=NOON + minutes(30))
    seen = [properties(read(agency, at=NOON + minutes(5), known=NOON + minutes(k))[0].geojson)["observed_at"] for k in (29, 30)]
    assert seen == ["2026-03-01T12:00:00Z", "2026-03-01T12:01:00Z"]


def test_the_past_crosses_midnight(agency: Agency, gps: Source) -> None:
    track = make_track(gps)
    midnight = NOON.replace(hour=0)
    move(track, midnight - minutes(1), -95, 29)
    move(track, midnight + minutes(1), -94, 29)
    assert properties(read(agency, at=midnight)[0].geojson)["observed_at"] == "2026-02-28T23:59:00Z"


def test_replay_shows_that_days_call_sign(agency: Agency, gps: Source) -> None:
    track = make_track(gps)
    move(track, NOON, -95, 29)
    assign(unit=unit(agency=agency, call_sign="4A12"), track=track, at=NOON)
    assign(unit=unit(agency=agency, call_sign="9Z1"), track=track, at=NOON + minutes(10))
    signs = [properties(read(agency, at=NOON + minutes(m))[0].geojson)["unit"] for m in (0, 9, 10)]
    assert signs == ["4A12", "4A12", "9Z1"]
    assert properties(read(agency)[0].geojson)["unit"] == "9Z1"


def drawn(rows: list[FeatureRow]) -> list[int]:
    """Return the ids of the devices that their units are drawn by."""
    return [row.id for row in rows if properties(row.geojson)["is_newest"]]


def test_of_two_devices_of_a_unit_the_newest_is_drawn(agency: Agency, gps: Source) -> None:
    car, radio, alone = make_track(gps, "car"), make_track(gps, "radio"), make_track(gps, "alone")
    for track in (car, radio):
        assign(unit=unit(agency=agency, call_sign="4A12"), track=track, at=NOON)
    move(car, NOON + minutes(1), -95, 29)
    move(radio, NOON + minutes(2), -94, 29)
    move(alone, NOON, -93, 29)
    assert drawn(read(agency)) == [radio.pk, alone.pk]
    assert drawn(read(agency, bbox=(-95.5, 28.0, -94.5, 30.0))) == [], "the car stands where the unit is no longer"
    assert drawn(read(agency, at=NOON + minutes(1.5))) == [car.pk, alone.pk]
    move(car, NOON + minutes(3), -95, 29)
    assert sorted(drawn(read(agency))) == [car.pk, alone.pk]


def test_of_two_devices_of_the_same_moment_the_first_one_is_drawn(agency: Agency, gps: Source) -> None:
    car, radio = make_track(gps, "car"), make_track(gps, "radio")
    for track in (radio, car):
        assign(unit=unit(agency=agency, call_sign="4A12"), track=track, at=NOON)
        move(track, NOON + minutes(1), -95, 29)
    assert drawn(read(agency)) == drawn(read(agency, at=NOON + minutes(1))) == [car.pk]


def test_a_device_that_left_its_unit_rivals_no_longer(agency: Agency, gps: Source) -> None:
    car, radio = make_track(gps, "car"), make_track(gps, "radio")
    held = [assign(unit=unit(agency=agency, call_sign="4A12"), track=track, at=NOON) for track in (car, radio)]
    move(car, NOON + minutes(1), -95, 29)
    move(radio, NOON + minutes(2), -94, 29)
    end_assignment(assignment=held[1], at=NOON + minutes(5))
    assert sorted(drawn(read(agency))) == [car.pk, radio.pk]
    assert drawn(read(agency, at=NOON + minutes(4))) == [radio.pk]
    assert drawn(read(agency, at=NOON + minutes(4), known=NOON + minutes(1.5))) == [car.pk]


def test_boundaries_of_a_past_place_are_those_valid_then(agency: Agency, gps: Source) -> None:
    square = "MULTIPOLYGON(((-96 29, -95 29, -95 30, -96 30, -96 29)))"
    facts = {"agency": agency, "kind": "beat", "geom": square}
    Boundary.objects.create(code="old", valid_from=NOON - minutes(60), valid_to=NOON, **facts)
    Boundary.objects.create(code="new", valid_from=NOON, **facts)
    Boundary.objects.create(code="foreign", valid_from=NOON, **{**facts, "agency": make_agency("other")})
    track = make_track(gps)
    move(track, NOON - minutes(1), -95.5, 29.5)
    move(track, NOON + minutes(1), -95.5, 29.5)
    codes = [[b["code"] for b in properties(read(agency, at=NOON + minutes(m))[0].geojson)["boundaries"]] for m in (0, 1)]
    assert codes == [["old"], ["new"]]


def test_a_box_holds_what_is_in_it(agency: Agency, gps: Source) -> None:
    inside, outside = make_track(gps, "in"), make_track(gps, "out")
    move(inside, NOON, -95.5, 29.5)
    move(outside, NOON, -90, 29.5)
    box = (-96.0, 29.0, -95.0, 30.0)
    assert [row.id for row in read(agency, bbox=box)] == [row.id for row in read(agency, bbox=box, at=NOON)] == [inside.pk]


def test_positions_come_packed(agency: Agency, gps: Source) -> None:
    track = make_track(gps)
    move(track, NOON, -95.1234567, 29.7654321, speed_mps=3.5, status=9, clock_offset_ms=61_000)
    with connection.cursor() as cursor:
        records = positions_after(cursor, agency.pk, 0)
    assert records.dtype == POSITION
    (record,) = records
    assert (record["track"], record["lon"], record["lat"]) == (track.pk, -951234567, 297654321)
    assert (record["observed_us"], record["received_us"]) == (microseconds(NOON), microseconds(NOON))
    assert record["speed_mps"] == pytest.approx(3.5)
    assert np.isnan(record["heading_deg"])
    assert (record["status"], record["flags"]) == (9, CLOCK_OFF)


def test_positions_after_a_revision_are_those_published_later(agency: Agency, gps: Source) -> None:
    first, second = make_track(gps, "a"), make_track(gps, "b")
    move(first, NOON, -95, 29)
    move(second, NOON, -95, 29)
    with connection.cursor() as cursor:
        assert list(positions_after(cursor, agency.pk, 1)["track"]) == [second.pk]
        assert len(positions_after(cursor, agency.pk, 2)) == 0
        assert len(positions_after(cursor, make_agency("other").pk, 0)) == 0


@pytest.mark.django_db(transaction=True)
def test_a_bare_psycopg_cursor_reads_the_same(agency: Agency, gps: Source) -> None:
    track = make_track(gps)
    move(track, NOON, -95, 29)
    facts = connection.settings_dict
    with psycopg.connect(host=facts["HOST"], port=facts["PORT"], user=facts["USER"], dbname=facts["NAME"]) as bare:
        cursor = bare.cursor()
        assert list(positions_after(cursor, agency.pk, 0)["track"]) == [track.pk]
        assert [one["id"] for one in introductions(cursor, agency.pk, after_rev=0, tracks=None)] == [track.pk]
        query = PageQuery([agency.pk], None, None, None, (0, 0), 10)
        assert [row.id for row in page(cursor, query)] == [track.pk]


def test_an_introduction_names_the_device(agency: Agency, gps: Source) -> None:
    track = make_track(gps, name="Car 12")
    assign(unit=unit(agency=agency, call_sign="4A12"), track=track, at=NOON)
    with connection.cursor() as cursor:
        assert introductions(cursor, agency.pk, after_rev=None, tracks=[track.pk]) == [
            {"handle": track.pk, "id": track.pk, "unit": "4A12", "name": "Car 12", "kind": "car", "origin": "live", "source": "gps",
             "interval_s": 5.0}
        ]  # fmt: skip


def test_some_devices_are_found_by_their_own_key_while_the_table_is_new(agency: Agency, gps: Source) -> None:
    facts = {"agency": agency, "source_id": gps.pk, "origin": gps.origin, "shard": 0}
    fleet = Track.objects.bulk_create([Track(identity=f"veh-{number}", **facts) for number in range(3_000)])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM pg_statistic WHERE starelid = 'tracks_track'::regclass")  # autovacuum may have looked by now
        cursor.execute("UPDATE pg_class SET relpages = 0, reltuples = -1 WHERE oid = 'tracks_track'::regclass")
        cursor.execute(f"EXPLAIN {INTRODUCED.format(chosen=AMONG)}", {"agency": agency.pk, "tracks": [one.pk for one in fleet[:300]]})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "tracks_track_pkey" in plan
    assert "agency_id_" not in plan


def test_a_device_is_introduced_again_when_its_assignment_changes(agency: Agency, gps: Source) -> None:
    track, other = make_track(gps, "a"), make_track(gps, "b")
    move(track, NOON, -95, 29)
    move(other, NOON, -95, 29)
    held = assign(unit=unit(agency=agency, call_sign="4A12"), track=track, at=NOON)
    track.refresh_from_db()

    def told(after_rev: int) -> list[tuple[int, str | None]]:
        with connection.cursor() as cursor:
            return [(one["id"], one["unit"]) for one in introductions(cursor, agency.pk, after_rev=after_rev, tracks=None)]

    assert told(track.rev - 1) == [(track.pk, "4A12")]
    assert told(track.rev) == []
    end_assignment(assignment=held, at=NOON + minutes(1))
    assert told(track.rev) == [(track.pk, None)]


def test_another_agencys_devices_are_not_in_it(agency: Agency) -> None:
    foreign = make_track(make_source(make_agency("other"), "other-gps"))
    move(foreign, NOON, -95, 29)
    with connection.cursor() as cursor:
        assert introductions(cursor, agency.pk, after_rev=None, tracks=[foreign.pk]) == []
    assert read(agency) == read(agency, at=NOON) == []
