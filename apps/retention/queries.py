"""Reads about retention: what is there, what is overdue, what a hold has. Numbers; contents only for a hold's own page."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from apps.retention.definition import DataClass, Limit, Table
from apps.retention.removal import limited

# By agency: how many there are, the oldest of those that age, and how many are older than their rule.
COUNT = """
    SELECT ({agency})::bigint, count(*), min({age}) FILTER (WHERE {where}), count(*) FILTER (WHERE {where} AND {age} < rule.before)
    FROM {source}
    LEFT JOIN unnest(%(agencies)s::bigint[], %(befores)s::timestamptz[]) AS rule (agency_id, before)
        ON ({agency})::bigint IS NOT DISTINCT FROM rule.agency_id
    WHERE {part} GROUP BY 1
"""
OLDER = """
    SELECT ({age})::date, count(*) FROM {source}
    JOIN unnest(%(agencies)s::bigint[], %(befores)s::timestamptz[]) AS rule (agency_id, before)
        ON ({agency})::bigint IS NOT DISTINCT FROM rule.agency_id AND {age} < rule.before
    WHERE {part} AND {where} AND {age} < %(newest)s GROUP BY 1 ORDER BY 1
"""
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(%s) ORDER BY 1"
PATIENCE_S = 20


class Counted(NamedTuple):
    """Of a table and an agency: rows kept, the time of the oldest that ages, and how many are older than their rule."""

    table: str
    agency_id: int | None
    kept: int
    oldest: datetime | None
    overdue: int


def count_class(data_class: DataClass, limits: Sequence[Limit]) -> list[Counted]:
    """Count every table of a class. A partitioned table is counted part by part, so that no statement lasts long."""
    sums: dict[tuple[str, int | None], Counted] = {}
    for table in [table for table in data_class.tables if table.counted]:
        for words in _parts(data_class, table):
            for row in _rows(COUNT.format(**words), limited(limits)):
                one = Counted(table.name, *row)
                sums[table.name, one.agency_id] = _sum(sums.get((table.name, one.agency_id)), one)
    return list(sums.values())


def _sum(old: Counted | None, new: Counted) -> Counted:
    if old is None:
        return new
    oldest = min((time for time in (old.oldest, new.oldest) if time is not None), default=None)
    return new._replace(kept=old.kept + new.kept, oldest=oldest, overdue=old.overdue + new.overdue)


def _parts(data_class: DataClass, table: Table) -> Iterator[dict[str, str]]:
    words = _words(data_class, table)
    for name in [row[0] for row in _rows(PARTITIONS, [table.name])] or [table.name]:
        yield words | {"source": words["source"].replace(f"{table.name} r", f"{name} r", 1)}


def _words(data_class: DataClass, table: Table) -> dict[str, str]:
    """Return the SQL about a table: of the things that age, or of rows that belong to them and have no age of their own."""
    if table == data_class.tables[-1]:
        return {name: getattr(data_class, name) for name in ("agency", "age", "part", "where", "source")}
    where = "TRUE" if table.ages else "FALSE"
    return {"agency": table.agency, "age": table.at, "part": "TRUE", "where": where, "source": f"{table.rows} {table.joins}"}


def _rows(statement: str, given: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return list(cursor.fetchall())


def older_by_day(data_class: DataClass, limits: Sequence[Limit]) -> dict[date, int]:
    """Return how many things are older than the limits, by the day of their age. Raises OperationalError after PATIENCE_S."""
    found: dict[date, int] = {}
    with transaction.atomic():
        _set_patience()
        for table in data_class.tables:
            words = _words(data_class, table)
            if words["where"] == "FALSE":
                continue
            for day, count in _rows(OLDER.format(**words), limited(limits)):
                found[day] = found.get(day, 0) + count
    return dict(sorted(found.items()))


def _set_patience() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE_S}s'")


def overdue(data_class: DataClass, limits: Sequence[Limit]) -> int:
    """Return how many things are older than their rule now. 0 is right."""
    return sum(older_by_day(data_class, limits).values())
