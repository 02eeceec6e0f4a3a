"""Under a shifted clock nothing older than its rule is in any table; what is younger, open or on duty stays."""

import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from apps.accounts.models import Instance, MemberSession, SignInAttempts
from apps.layers.models import LayerRevision
from apps.retention import operations, removal
from apps.retention import turn as turning
from apps.retention.models import Rule, Tally, Turn
from apps.retention.queries import overdue
from apps.retention.registry import classes
from apps.retention.rules import rules_at
from apps.retention.turn import take_turn
from apps.tracks.days import name_of, stored_days
from tests import world
from tests.apps.retention.aged import DAY, NOW, Town, all_rows, rows, turn

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def days() -> list[str]:
    with connection.cursor() as cursor:
        return [day.name for day in stored_days(cursor)]


@pytest.mark.django_db(transaction=True)
def test_it_removes_everything_that_is_older_than_its_rule(town: Town) -> None:
    town.everything(NOW - 4000 * DAY)
    done = turn()
    assert done.finished
    assert all_rows() == Counter({"layers_tombstone": 1})
    assert rows("layers_tombstone", "removed_at > now() - interval '1 minute'") == 1, "of the car that left the map"


def test_it_keeps_what_is_younger(town: Town) -> None:
    town.everything(NOW - timedelta(hours=1))
    before = all_rows()
    assert turn().finished
    assert all_rows() == before


@pytest.mark.parametrize("name", ["posts", "crossings", "calls", "assignments", "fences"])
def test_a_rule_holds_to_the_second(town: Town, name: str) -> None:
    one = classes()[name]
    town.everything(NOW - one.keep)
    for inner in one.after:
        removal.remove_some(classes()[inner], rules_at(NOW).limits(classes()[inner], [town.agency.pk], NOW), NOW, 100)
    table = one.tables[-1].name
    assert overdue(one, rules_at(NOW).limits(one, [town.agency.pk], NOW)) == 0, "as old as its rule is not older"
    limits = rules_at(NOW).limits(one, [town.agency.pk], NOW + SECOND)
    assert overdue(one, limits) == rows(table) > 0
    removal.remove_some(one, rules_at(NOW).limits(one, [town.agency.pk], NOW), NOW, 100)
    assert rows(table) > 0
    removal.remove_some(one, limits, NOW + SECOND, 100)
    assert rows(table) == 0


def test_an_open_call_is_kept_however_old(town: Town) -> None:
    town.call("open", NOW - 5000 * DAY, closed=False)
    town.call("closed", NOW - 5000 * DAY)
    turn()
    assert rows("incidents_call") == 1
    assert rows("incidents_callrevision") == 2
    world.say(town.source, "open", at=NOW, state="closed", closed_at=NOW)
    turn(NOW + 1094 * DAY)
    assert rows("incidents_call") == 1, "its age counts from its closing"
    turn(NOW + 1096 * DAY)
    assert rows("incidents_call") + rows("incidents_callrevision") + rows("incidents_callstanding") == 0


def test_a_locked_name_and_a_living_session_stay(town: Town) -> None:
    SignInAttempts.objects.create(name="locked", failed_at=[], last_at=NOW - 99 * DAY, locked_at=NOW - 99 * DAY)
    SignInAttempts.objects.create(name="past", failed_at=[], last_at=NOW - 99 * DAY)
    MemberSession.objects.create(session_key="dead", session_data="x", expire_date=NOW - SECOND)
    MemberSession.objects.create(session_key="alive", session_data="x", expire_date=NOW + SECOND)
    turn()
    assert set(SignInAttempts.objects.values_list("name", flat=True)) == {"locked"}
    assert set(MemberSession.objects.values_list("session_key", flat=True)) == {"alive"}


@pytest.mark.django_db(transaction=True)
def test_a_day_goes_whole_when_it_is_older_than_every_agencys_rule(town: Town) -> None:
    lakeside = Town("lakeside")
    town.rule("positions", 30 * DAY)
    for age in (100, 60, 31, 29):
        town.fix(NOW - age * DAY)
        lakeside.fix(NOW - age * DAY)
    turn()
    assert name_of((NOW - 100 * DAY - datetime(1970, 1, 1, tzinfo=NOW.tzinfo)).days) not in days()
    assert len(days()) == 3
    own = "track_id IN (SELECT id FROM tracks_track WHERE agency_id = {})"
    assert rows("tracks_fix", own.format(town.agency.pk)) == 1
    assert rows("tracks_fix", own.format(lakeside.agency.pk)) == 3


def test_a_message_is_kept_no_longer_than_the_places_inside(town: Town) -> None:
    lakeside = Town("lakeside")
    town.rule("positions", 2 * DAY)
    town.post(NOW - 3 * DAY)
    lakeside.post(NOW - 3 * DAY)
    found = rules_at(NOW).of("posts", town.agency.pk)
    assert (found.keep, found.legal_source, found.limited_by) == (2 * DAY, "Records schedule 4.2", "positions")
    turn()
    assert rows("ingest_post") == rows("ingest_inbound") == rows("ingest_reject") == rows("ingest_outcome") == 1


@pytest.mark.django_db(transaction=True)
def test_a_silent_device_leaves_the_map_and_open_maps_hear_of_it(town: Town) -> None:
    town.cross(town.fence("in use"), NOW - 91 * DAY)
    town.fix(NOW - 91 * DAY)
    before = LayerRevision.objects.get(layer="units", agency=town.agency).rev
    turn()
    assert rows("tracks_position") == rows("geofences_presence") == 0
    assert LayerRevision.objects.get(layer="units", agency=town.agency).rev == before + 1
    assert rows("layers_tombstone", f"layer = 'units' AND feature_id = {town.track.pk} AND rev = {before + 1}") == 1


def test_a_fence_that_was_removed_waits_for_its_crossings(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "MOST", 1)
    town.rule("crossings", 1000 * DAY)
    town.rule("fences", 365 * DAY)
    fence = town.fence("gone", removed_at=NOW)
    town.fence("never crossed", removed_at=NOW)
    for hour in range(4):
        town.cross(fence, NOW - hour * DAY / 24)
    turn(NOW + 999 * DAY)
    assert (rows("geofences_transition"), rows("geofences_fence")) == (4, 1)
    assert turn(NOW + 1001 * DAY).finished
    assert (rows("geofences_transition"), rows("geofences_fence"), rows("geofences_fencerevision")) == (0, 0, 0), "in the same turn"


def test_a_calls_removal_is_a_change_of_the_layer(town: Town) -> None:
    town.call("old", NOW - 1100 * DAY)
    before = LayerRevision.objects.get(layer="calls", agency=town.agency).rev
    turn()
    assert LayerRevision.objects.get(layer="calls", agency=town.agency).rev == before + 1
    turn()
    assert LayerRevision.objects.get(layer="calls", agency=town.agency).rev == before + 1, "nothing went, nothing changed"


def test_a_rule_is_in_force_from_its_day_on_and_can_be_ended(town: Town) -> None:
    rule = town.rule("positions", 10 * DAY, at=NOW)
    operations.make_rule(
        data_class="positions", agency=town.agency, keep=None, legal_source="Order 8", valid_from=NOW + DAY, by=town.chief, at=NOW
    )
    assert rules_at(NOW - SECOND).of("positions", town.agency.pk).keep == 90 * DAY
    assert rules_at(NOW).of("positions", town.agency.pk)[:4] == (10 * DAY, "Records schedule 4.2", NOW, rule.pk)
    assert rules_at(NOW + DAY).of("positions", town.agency.pk).keep == 90 * DAY


def test_an_upgrade_removes_nothing_new_for_a_week(town: Town) -> None:
    Instance.objects.update(created_at=NOW - 300 * DAY)
    town.call("old", NOW - 2000 * DAY)
    town.post(NOW - 80 * DAY)
    town.post(NOW - 95 * DAY)
    turn()
    assert rows("incidents_call") == 1
    assert rows("ingest_post") == 1, "the older one has places inside that are past their rule"
    turn(NOW + 6 * DAY)
    assert rows("incidents_call") == rows("ingest_post") == 1
    turn(NOW + 7 * DAY)
    assert rows("incidents_call") == rows("ingest_post") == 0


def test_a_rule_is_never_changed(town: Town) -> None:
    rule = town.rule("positions", 10 * DAY)
    for change in (lambda: Rule.objects.filter(pk=rule.pk).update(keep=DAY), rule.delete):
        with pytest.raises(IntegrityError, match="is never changed"), transaction.atomic():
            change()
    town.chief.delete()
    assert Rule.objects.get(pk=rule.pk).made_by_name == "chief-metro"


def test_a_rule_that_changes_during_a_turn_holds_from_the_next(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of a turn are drawn once: what a turn removes is explained by one set of rules."""
    town.post(NOW - 5 * DAY)
    changed: list[Rule] = []

    def change(*words: Any) -> Any:
        if not changed:
            changed.append(town.rule("posts", 2 * DAY))
        return removal.remove_some(*words)

    monkeypatch.setattr(turning, "remove_some", change)
    assert turn().finished
    assert rows("ingest_post") == 1
    turn()
    assert rows("ingest_post") == 0


@pytest.mark.django_db(transaction=True)
def test_bounded_steps_come_to_the_end(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "MOST", 7)
    for minute in range(30):
        town.fix(NOW - 91 * DAY + timedelta(minutes=minute))
        town.fix(NOW - 90 * DAY - timedelta(minutes=minute + 1))
        town.call(f"C{minute}", NOW - 1100 * DAY + timedelta(minutes=minute))
    done = turn()
    assert done.finished
    assert rows("tracks_fix") == rows("incidents_call") == 0
    assert Tally.objects.get(table="incidents_call").removed == 30
    assert Tally.objects.get(table="tracks_fix").removed == 60


@pytest.mark.django_db(transaction=True)
def test_time_runs_out_and_the_next_turn_goes_on(town: Town) -> None:
    town.everything(NOW - 4000 * DAY)
    assert not turn(budget_s=0).finished
    assert Turn.objects.get().finished_at is None
    assert turn().finished
    assert Turn.objects.get().finished_at is not None


@pytest.mark.django_db(transaction=True)
def test_one_process_at_a_time_removes(town: Town) -> None:
    with other_connection() as other:
        other.execute(turning.LOCK)
        assert take_turn(at=NOW, real=NOW, process="second") is None
        other.execute(turning.UNLOCK)
    assert take_turn(at=NOW, real=NOW, process="second") is not None


@pytest.mark.django_db(transaction=True)
def test_a_process_that_dies_in_the_middle_leaves_tally_and_tables_in_step(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend is ended, as kill -9 of its process ends it, between the removal and its commit."""
    for minute in range(20):
        town.call(f"C{minute}", NOW - 1100 * DAY + timedelta(minutes=minute))
    monkeypatch.setattr(turning, "MOST", 8)
    steps: list[int] = []
    tally = removal.tally

    def die(*words: Any) -> None:
        tally(*words)
        steps.append(1)
        if len(steps) == 2:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(removal, "tally", die)
    with pytest.raises(turning.LockLost, match="terminating"):
        turn()
    connection.close()
    assert rows("incidents_call") == 12
    assert Tally.objects.get(table="incidents_call").removed == 8
    monkeypatch.undo()
    assert turn().finished
    assert rows("incidents_call") == 0
    assert Tally.objects.get(table="incidents_call").removed == 20


@pytest.mark.django_db(transaction=True)
def test_a_day_that_a_killed_process_left_detached_is_counted_and_dropped(town: Town) -> None:
    town.fix(NOW - 100 * DAY)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE tracks_fix DETACH PARTITION {days()[0]} CONCURRENTLY")
    turn()
    assert days() == []
    assert Tally.objects.get(table="tracks_fix").removed == 1


@pytest.mark.django_db(transaction=True)
def test_a_reader_of_an_old_day_holds_up_nothing_else(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """DETACH … CONCURRENTLY waits for whoever reads; it is cut off, the rest goes on, and the next turn finishes it."""
    monkeypatch.setattr("apps.tracks.retention.DETACH_PATIENCE", "SET statement_timeout = '300ms'")
    town.fix(NOW - 100 * DAY)
    town.call("old", NOW - 1100 * DAY)
    world.make_day(NOW)
    with other_connection() as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM tracks_fix")
        done = turn()
        assert set(done.failed) == {"positions"}
        assert rows("incidents_call") == 0
    assert turn().finished
    assert len(days()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_changes_is_left_for_the_next_turn(town: Town) -> None:
    call = town.call("old", NOW - 1100 * DAY)
    with other_connection() as other, other.transaction():
        other.execute("SELECT FROM incidents_call WHERE id = %s FOR UPDATE", [call.pk])
        assert turn().finished
        assert rows("incidents_call") == 1
    turn()
    assert rows("incidents_call") == 0


@pytest.mark.django_db(transaction=True)
def test_it_gives_way_to_a_batch_that_holds_the_revision(town: Town) -> None:
    """A batch that holds it and wants the call's row would else be ended for the deadlock, one time in two."""
    call = town.call("old", NOW - 1100 * DAY)
    with other_connection() as batch, batch.transaction():
        batch.execute("SELECT FROM layers_layerrevision WHERE layer = 'calls' FOR UPDATE")
        began = time.monotonic()
        assert set(turn().failed) == {"calls"}
        assert time.monotonic() - began < 1
        batch.execute("UPDATE incidents_call SET rank = 1 WHERE id = %s", [call.pk])
    assert turn().finished
    assert rows("incidents_call") == 0


@pytest.mark.django_db(transaction=True)
def test_turns_at_once_remove_each_row_once(town: Town) -> None:
    for minute in range(40):
        town.call(f"C{minute}", NOW - 1100 * DAY + timedelta(minutes=minute))

    def work() -> None:
        try:
            while take_turn(at=NOW, real=NOW, process="thread") is None:
                pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Tally.objects.get(table="incidents_call").removed == 40


def other_connection() -> "psycopg.Connection[Any]":
    given = connection.get_connection_params()
    words = {name: given[name] for name in ("host", "port", "user", "dbname") if given.get(name)}
    return psycopg.connect(autocommit=True, **words)
