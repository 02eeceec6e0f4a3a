"""A hold is a copy: no rule removes it, it takes two people and has an end, and it is gone when it ends."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.gis.geos import Polygon
from django.db import connection, transaction

from apps.accounts.models import Member
from apps.audit.acting import Acting, acting_as
from apps.audit.models import Entry
from apps.retention import copying, export, operations, removal
from apps.retention.models import HeldRow, Hold, Tally
from apps.retention.operations import BadHold, NotAllowed, SecondPersonNeeded
from apps.retention.registry import classes
from tests import world
from tests.apps.retention.aged import DAY, NOW, Town, rows, turn

pytestmark = pytest.mark.django_db
AREA = Polygon.from_bbox((-95.40, 29.70, -95.30, 29.80))
AREA.srid = 4326


def copies(table: str) -> int:
    return HeldRow.objects.filter(table=table).count()


def test_what_matches_is_copied_when_it_is_asked_for(town: Town) -> None:
    lakeside = Town("lakeside")
    town.fix(NOW - DAY)
    town.fix(NOW - 3 * DAY)
    lakeside.fix(NOW - DAY)
    hold = town.hold("positions", starts_at=NOW - 2 * DAY)
    assert copies("tracks_fix") == 1
    assert copies("tracks_position") == 1
    entry = Entry.objects.get(act="legal_hold_asked")
    assert (entry.target, entry.count, entry.reason) == (f"hold:{hold.pk}", 2, "case 26-1042: court order")


@pytest.mark.django_db(transaction=True)
def test_held_rows_outlive_their_rule_and_nobody_reads_them(town: Town) -> None:
    town.everything(NOW - 80 * DAY)
    hold = town.hold("positions", "calls", "posts")
    operations.confirm_hold(hold=hold, by=town.deputy, at=NOW)
    held = HeldRow.objects.count()
    turn(NOW + 380 * DAY)
    assert HeldRow.objects.count() == held
    assert rows("tracks_fix") == rows("tracks_position") == rows("ingest_post") == 0
    officer = world.signed_in(town.deputy)
    answer = officer.get("/api/layers/units/features", {"at": (NOW - 80 * DAY).isoformat()}).json()
    assert answer["features"] == []
    assert copies("tracks_fix") == 1


@pytest.mark.django_db(transaction=True)
def test_what_comes_later_is_copied_as_it_goes(town: Town) -> None:
    town.hold("positions", "calls")
    town.fix(NOW + DAY)
    town.fix(NOW + 2 * DAY)
    town.call("later", NOW + DAY)
    assert HeldRow.objects.count() == 0
    operations.extend_hold(hold=Hold.objects.get(), until=NOW + 9000 * DAY, reason="appeal", by=town.chief, at=NOW)
    operations.confirm_hold(hold=Hold.objects.get(), by=town.deputy, at=NOW)
    turn(NOW + 3000 * DAY)
    assert rows("tracks_fix") == rows("incidents_call") == rows("incidents_callrevision") == 0
    assert (copies("tracks_fix"), copies("tracks_position")) == (2, 1)
    assert (copies("incidents_call"), copies("incidents_callrevision")) == (1, 2)
    tally = Tally.objects.get(table="tracks_fix")
    assert (tally.removed, tally.held) == (2, 2)


def test_rows_that_go_with_another_class_are_held_by_their_own(town: Town) -> None:
    """A crossing that came after the hold was asked for, and which the fence takes along."""
    town.hold("crossings")
    fence = town.fence("gone", removed_at=NOW)
    town.cross(fence, NOW + DAY)
    with transaction.atomic(), connection.cursor() as cursor:
        removal.remove_things(cursor, classes()["fences"], {fence.pk: town.agency.pk}, NOW + DAY)
    assert rows("geofences_transition") == rows("geofences_fence") == 0
    assert list(HeldRow.objects.values_list("data_class", "table")) == [("crossings", "geofences_transition")]


def test_a_hold_on_fences_has_their_crossings(town: Town) -> None:
    town.cross(town.fence("gone", removed_at=NOW), NOW)
    town.hold("fences")
    assert set(HeldRow.objects.values_list("data_class", "table")) == {
        ("crossings", "geofences_transition"), ("stays", "geofences_presence"), ("fences", "geofences_fence"),
        ("fences", "geofences_fencerevision"),
    }  # fmt: skip


def test_a_hold_takes_only_what_it_names(town: Town) -> None:
    town.duty(NOW - 2 * DAY, NOW - DAY)
    town.fix(NOW - 1.5 * DAY)
    town.fix(NOW - 0.5 * DAY)
    town.fix(NOW - 1.4 * DAY, lon=-90.0)
    assert town.hold("positions", identity="4A12", area=AREA).rows.filter(table="tracks_fix").count() == 1
    assert town.hold("positions", identity="metro-car").rows.filter(table="tracks_fix").count() == 3
    assert town.hold("positions", identity="other").rows.count() == 0
    assert town.hold("positions", ends_before=NOW - DAY, area=AREA).rows.filter(table="tracks_fix").count() == 1


def test_a_copy_can_be_put_back_as_it_was(town: Town) -> None:
    town.fix(NOW - DAY, lon=-95.3612345, lat=29.7654321)
    town.post(NOW - DAY)
    town.hold("positions", "posts")
    for table in ("tracks_fix", "ingest_post"):
        held = HeldRow.objects.get(table=table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT jsonb_populate_record(NULL::{table}, %s::jsonb)::text = r::text FROM {table} r", [json.dumps(held.row)]
            )
            assert cursor.fetchall() == [(True,)], table
            cursor.execute("SELECT row::text FROM retention_heldrow WHERE id = %s", [held.pk])
            assert hashlib.sha256(cursor.fetchone()[0].encode()).hexdigest() == held.digest


def test_it_needs_a_second_administrator(town: Town) -> None:
    hold = town.hold("calls")
    with pytest.raises(SecondPersonNeeded):
        operations.confirm_hold(hold=hold, by=town.chief, at=NOW)
    with pytest.raises(NotAllowed):
        operations.confirm_hold(hold=hold, by=world.make_member(town.agency, username="dana"), at=NOW)
    operations.confirm_hold(hold=hold, by=town.deputy, at=NOW)
    with pytest.raises(BadHold, match="confirmed already"):
        operations.confirm_hold(hold=hold, by=town.deputy, at=NOW)


def test_unconfirmed_it_ends_after_seven_days(town: Town) -> None:
    town.call("C", NOW - DAY)
    town.hold("calls")
    turn(NOW + 6 * DAY)
    assert copies("incidents_call") == 1
    turn(NOW + 8 * DAY)
    assert HeldRow.objects.count() == 0
    assert "no second person" in Hold.objects.get().released_why
    assert Entry.objects.filter(act="legal_hold_released").count() == 1


def test_at_its_end_the_copies_go(town: Town) -> None:
    town.call("C", NOW - DAY)
    hold = town.hold("calls", hold_until=NOW + 30 * DAY)
    operations.confirm_hold(hold=hold, by=town.deputy, at=NOW)
    turn(NOW + 29 * DAY)
    assert copies("incidents_call") == 1
    turn(NOW + 30 * DAY)
    assert HeldRow.objects.count() == 0
    assert rows("incidents_call") == 1, "the row itself goes by its rule"


def test_a_released_hold_is_gone_in_the_next_turn(town: Town) -> None:
    town.call("C", NOW - DAY)
    hold = town.hold("calls")
    with pytest.raises(BadHold, match="say why"):
        operations.release_hold(hold=hold, reason=" ", by=town.chief, at=NOW)
    operations.release_hold(hold=hold, reason="case dismissed", by=town.deputy, at=NOW)
    turn(NOW + timedelta(seconds=20))
    assert HeldRow.objects.count() == 0
    with pytest.raises(BadHold, match="has ended"):
        operations.extend_hold(hold=hold, until=NOW + 500 * DAY, reason="no", by=town.chief, at=NOW)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"case_number": " "}, "case number"),
        ({"reason": ""}, "reason"),
        ({"hold_until": NOW}, "hold until"),
        ({"ends_before": NOW - 5000 * DAY}, "time"),
    ],
)
def test_it_says_what_is_wrong_with_a_hold(town: Town, wrong: dict[str, object], says: str) -> None:
    with pytest.raises(BadHold, match=says):
        town.hold("calls", **wrong)
    assert not Hold.objects.exists()


def test_what_is_too_much_for_one_hold_is_refused(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST_HELD", 2)
    town.call("C", NOW - DAY)
    with pytest.raises(BadHold, match="3 rows match, and a hold begins with at most 2"):
        town.hold("calls")
    assert not Hold.objects.exists()
    assert not HeldRow.objects.exists()


def test_what_came_since_makes_no_hold_lapse(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is confirmed and given out with more than a hold may begin with."""
    monkeypatch.setattr(operations, "MOST_HELD", 2)
    monkeypatch.setattr(export, "AT_ONCE", 3)
    town.fix(NOW - DAY)
    hold = town.hold("positions", starts_at=NOW - 2 * DAY)
    for day in range(5):
        town.fix(NOW - 10 * DAY + day * DAY)
        town.fix(NOW + day * DAY)
    operations.confirm_hold(hold=hold, by=town.deputy, at=NOW + 2 * DAY)
    turn(NOW + 8 * DAY)
    assert Hold.objects.get().released_at is None
    hold.refresh_from_db()
    head, *found = given_out(hold, by=town.deputy)
    assert head["rows"] == len(found) == 7
    assert copies("tracks_fix") == 6, "none of the days before"
    entry = Entry.objects.get(act="legal_hold_read")
    assert (entry.count, entry.member_name) == (7, "deputy")


def given_out(hold: Hold, *, by: Member) -> list[dict[str, Any]]:
    async def read() -> bytes:
        return b"".join([part async for part in out])

    with acting_as(lambda: Acting(by.pk, "deputy")):
        out = export.lines(hold=hold, by=by, at=NOW + 8 * DAY)
    return [json.loads(line) for line in async_to_sync(read)().splitlines()]


def test_of_days_only_those_of_the_hold_are_read(town: Town) -> None:
    for age in (1, 2, 9):
        town.fix(NOW - age * DAY)
    hold = Hold(agency=town.agency, classes=["positions"], starts_at=NOW - 2 * DAY, ends_before=NOW)
    latest, fix = classes()["positions"].tables
    assert copying._parts(hold, latest) == [latest]
    assert {part.stored for part in copying._parts(hold, fix)} <= {f"tracks_fix_2026_0{day}" for day in ("2_27", "2_28", "3_01")}
    assert len(copying._parts(hold, fix)) == 2


def test_a_day_that_goes_while_copies_are_made_is_no_fault(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.call("C", NOW - DAY)
    hold = town.hold("positions", "calls")
    find = copying._parts
    gone = {"tracks_fix": "tracks_fix_2001_01_01"}
    monkeypatch.setattr(copying, "_parts", lambda hold, one: [replace(part, stored=gone.get(one.name, "")) for part in find(hold, one)])
    town.fix(NOW - DAY)
    assert copying.copy_by_parts(hold, at=NOW) == 4, "the call, its revisions and the latest place"
