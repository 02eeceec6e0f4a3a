"""Every table with a time is in a data class, or in the list of exceptions with its reason: a new table fails until it is."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection

from apps.retention.definition import DataClass, Limit
from apps.retention.registry import classes, kept
from apps.retention.removal import remove_some
from apps.retention.wording import NotADuration, duration, read_duration
from tests import world
from tests.apps.retention.aged import DAY, NOW

TIMED = """
    SELECT DISTINCT rel.relname
    FROM pg_class rel JOIN pg_attribute col ON col.attrelid = rel.oid JOIN pg_type type ON type.oid = col.atttypid
    WHERE rel.relkind IN ('r', 'p') AND NOT rel.relispartition AND rel.relnamespace = 'public'::regnamespace AND col.attnum > 0
        AND NOT col.attisdropped AND rel.relname !~ '^tracks_fix_[0-9]{4}_[0-9]{2}_[0-9]{2}$'
        AND (type.typname IN ('timestamptz', 'timestamp', 'date', 'tstzrange', '_timestamptz') OR col.attname ~ '_(us|ms|at)$')
"""


def with_times() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(TIMED)
        return {row[0] for row in cursor.fetchall()}


def in_classes() -> set[str]:
    return {table.name for one in classes().values() for table in one.tables}


@pytest.mark.django_db
def test_every_table_with_a_time_has_a_rule_or_a_reason() -> None:
    assert with_times() - in_classes() - {one.table for one in kept()} == set()


def test_rows_that_go_with_another_class_name_their_own() -> None:
    """A hold on that class finds them then."""
    whose = [(table.name, table.of or one.name) for one in classes().values() for table in one.tables]
    assert {name for name, of in set(whose) if sum(other == name for other, _ in set(whose)) > 1} == {"ingest_reject"}, "two parts"
    for one in classes().values():
        assert {table.of for table in one.tables} - {""} <= classes().keys()
        assert set(one.after) <= classes().keys()


@pytest.mark.django_db
def test_it_sees_a_new_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE whereabouts (seen_at timestamptz)")
    assert "whereabouts" in with_times()


def test_every_model_with_a_time_is_among_them() -> None:
    times = {"DateTimeField", "DateField", "DateTimeRangeField"}
    timed = [model for model in apps.get_models() if {field.get_internal_type() for field in model._meta.local_fields} & times]
    models = {model._meta.db_table for model in timed}
    assert models - in_classes() - {one.table for one in kept()} == set()


@pytest.mark.django_db
def test_an_exception_names_a_table_that_there_is_and_says_why() -> None:
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    assert {one.table for one in kept()} - tables == set()
    assert {one.table for one in kept()} & in_classes() == set()
    assert min(len(one.reason) for one in kept()) > 20


def test_a_class_says_all_that_its_page_needs() -> None:
    for one in classes().values():
        assert one.about.endswith("."), one.name
        assert set(one.limited_by) <= classes().keys()
        assert one.keep >= one.shortest


def test_files_age_by_their_last_change(tmp_path: Path, db: None) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    for name, age in (("old.csv", 3 * DAY), ("new.csv", timedelta(hours=1))):
        (folder / name).write_text("x")
        os.utime(folder / name, times=((NOW - age).timestamp(),) * 2)
    exports = DataClass(name="exports", title="Exports", about="Files.", keep=2 * DAY, clock="real", folder=lambda: folder)
    world.make_instance()
    removed = remove_some(exports, [Limit(None, NOW - 2 * DAY)], NOW, 10)
    assert [file.name for file in folder.iterdir()] == ["new.csv"]
    assert removed.rows == {("exports", None): 1}


@pytest.mark.parametrize(
    ("text", "keep", "said"),
    [
        ("90 days", 90 * DAY, "90 days"), ("36h", timedelta(hours=36), "36 hours"), ("3 years", 1095 * DAY, "3 years"),
        (" 1 Week ", 7 * DAY, "7 days"), ("365d", 365 * DAY, "365 days"), ("90 min", timedelta(minutes=90), "90 min"),
    ],
)  # fmt: skip
def test_durations_are_read_and_said(text: str, keep: timedelta, said: str) -> None:
    assert read_duration(text) == keep
    assert duration(keep) == said


@pytest.mark.parametrize("text", ["", "90", "-1 day", "1.5 days", "9 moons", "9999999 days"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(NotADuration, match="is no duration"):
        read_duration(text)
