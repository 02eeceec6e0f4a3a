"""The proof's counts are those of the tables, and no line can be changed unseen."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.audit.models import Entry
from apps.retention import proof
from apps.retention.models import Proof
from tests.apps.retention.aged import DAY, NOW, TABLES, Town, all_rows, rows, turn

pytestmark = pytest.mark.django_db


def close(at: object = NOW) -> dict[tuple[str, str, int], Proof]:
    lines = proof.close_day(NOW.date(), at=at, real=at, process="test")  # type: ignore[arg-type]
    return {(line.data_class, line.table, line.agency_id): line for line in lines}


@pytest.mark.django_db(transaction=True)
def test_its_counts_are_those_of_the_tables(town: Town) -> None:
    lakeside = Town("lakeside")
    for each in (town, lakeside):
        each.everything(NOW - 4000 * DAY)
        each.everything(NOW - timedelta(hours=1))
    town.hold("calls")
    before = all_rows()
    turn()
    after = all_rows()
    lines = close().values()
    for table in (table for table in TABLES if table not in {"incidents_callstanding", "layers_tombstone"}):
        own = [line for line in lines if line.table == table]
        assert sum(line.kept for line in own) == after[table], table
        assert sum(line.removed for line in own) == before[table] - after[table], table
    assert sum(line.overdue for line in lines) == 0
    own = close_lines(lines, "calls", "incidents_callrevision")
    assert own[town.agency.pk].held == 4
    assert own[lakeside.agency.pk].held == 0


def close_lines(lines: object, name: str, table: str) -> dict[int, Proof]:
    return {line.agency_id: line for line in lines if (line.data_class, line.table) == (name, table)}  # type: ignore[attr-defined]


def test_it_says_by_which_rule_and_how_old_the_oldest_is(town: Town) -> None:
    rule = town.rule("posts", 5 * DAY)
    town.post(NOW - 3 * DAY)
    line = close()["posts", "ingest_post", town.agency.pk]
    assert (line.rule_id, line.keep_s, line.kept, line.oldest_kept_at) == (rule.pk, 5 * 86_400, 1, NOW - 3 * DAY)


def test_it_tells_what_should_have_gone(town: Town) -> None:
    town.post(NOW - 31 * DAY)
    assert close()["posts", "ingest_post", town.agency.pk].overdue == 1


def test_a_day_is_closed_once(town: Town) -> None:
    lines = list(close().values())
    assert close() == {}
    entry = Entry.objects.get(act="retention_proved")
    assert (entry.target, entry.detail["digest"]) == (f"day:{NOW.date()}", lines[-1].digest)


def test_days_that_are_over_are_due(town: Town) -> None:
    assert proof.due_days(NOW) == [NOW.date() - DAY]
    proof.close_day(NOW.date() - DAY, at=NOW, real=NOW, process="test")
    assert proof.due_days(NOW) == []
    town.post(NOW - 31 * DAY)
    turn()
    assert proof.due_days(NOW + 3 * DAY) == [NOW.date(), NOW.date() + 2 * DAY]


def test_a_line_cannot_be_changed_and_a_change_by_force_is_found(town: Town) -> None:
    lines = list(close().values())
    with pytest.raises(IntegrityError, match="is never changed"), transaction.atomic():
        Proof.objects.filter(pk=lines[3].pk).update(kept=9)
    assert proof.first_changed() is None
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE retention_proof SET removed = removed + 1 WHERE id = %s", [lines[3].pk])
        cursor.execute("SET session_replication_role = DEFAULT")
    assert proof.first_changed() == lines[3]
    with pytest.raises(CommandError, match="was changed"):
        call_command("retention_proof", stdout=StringIO())


def test_the_command_prints_lines_of_json(town: Town) -> None:
    with pytest.raises(CommandError, match="no proof yet"):
        call_command("retention_proof", stdout=StringIO())
    town.post(timezone.now())
    out = StringIO()
    call_command("retention_proof", "--close", stdout=out)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    kept = {line["table"]: line["kept"] for line in lines if line["agency_id"] == town.agency.pk}
    assert kept["ingest_post"] == rows("ingest_post") == 1
    assert len(lines[0]["digest"]) == 64
