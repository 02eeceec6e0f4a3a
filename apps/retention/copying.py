"""Copy what a hold finds in the tables as they are now: at once when it is asked for, part by part when its copies are given out."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from django.db import ProgrammingError, connection, transaction
from psycopg.errors import UndefinedTable

from apps.layers.definition import Cursor
from apps.retention import holding
from apps.retention.definition import DataClass, Table
from apps.retention.models import HeldRow, Hold
from apps.retention.registry import classes

# Of a table that is partitioned by its time, the parts that reach into the hold's; of one that is partitioned otherwise, all.
PARTS = """
    SELECT part.name FROM (
        SELECT c.oid::regclass::text AS name,
            substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM [(]''([0-9]+-[^'']+)''[)]')::timestamptz AS starts_at,
            substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO [(]''([0-9]+-[^'']+)''[)]')::timestamptz AS ends_before
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass(%(table)s)
    ) part
    WHERE coalesce(part.ends_before > %(starts_at)s AND part.starts_at < %(ends_before)s, true) ORDER BY 1
"""
PARTITIONED = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%s)"
OF_HOLD = "hold.id = %(hold)s AND said.at >= %(starts_at)s AND said.at < %(ends_before)s"
"""The hold's times once more, as values: with them PostgreSQL leaves out the days beyond."""
PATIENCE = "SET LOCAL statement_timeout = '25s'"


def copy_at_once(hold: Hold, *, at: datetime) -> int:
    """Copy in one transaction; return how many rows the hold has. Raises OperationalError when a table takes longer than 25 s."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        for data_class, table in _held(hold):
            _copy(cursor, hold, data_class, table, at)
    return HeldRow.objects.filter(hold=hold).count()


def copy_by_parts(hold: Hold, *, at: datetime) -> int:
    """Copy however much it is: a transaction for each day of places, and for each other table. Return how many rows the hold has."""
    for data_class, table in _held(hold):
        for part in _parts(hold, table):
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    _copy(cursor, hold, data_class, part, at)
            except ProgrammingError as error:
                # A day that went by its rule since we looked was copied as it went.
                if not isinstance(error.__cause__, UndefinedTable):
                    raise
    return HeldRow.objects.filter(hold=hold).count()


def _held(hold: Hold) -> Iterator[tuple[DataClass, Table]]:
    for name in hold.classes:
        yield from ((classes()[name], table) for table in classes()[name].tables if table.held)


def _parts(hold: Hold, table: Table) -> list[Table]:
    with connection.cursor() as cursor:
        cursor.execute(PARTITIONED, [table.name])
        if cursor.fetchall() != [(True,)]:
            return [table]
        cursor.execute(PARTS, {"table": table.name, **_times(hold)})
        return [replace(table, stored=name) for (name,) in cursor.fetchall()]


def _times(hold: Hold) -> dict[str, datetime]:
    return {"starts_at": hold.starts_at, "ends_before": hold.ends_before or datetime.max.replace(tzinfo=UTC)}


def _copy(cursor: Cursor, hold: Hold, data_class: DataClass, table: Table, at: datetime) -> None:
    given = {**holding.values(data_class, table, at=at), **_times(hold), "hold": hold.pk}
    cursor.execute(holding.copying(table, rows=table.rows, where=OF_HOLD), given)
