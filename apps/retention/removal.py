"""Remove what is older than its rule: a bounded number of things in one short transaction, and copy what is held first."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from apps.accounts.instance import read_instance
from apps.layers.definition import Cursor
from apps.layers.revisions import publishing
from apps.retention import holding
from apps.retention.definition import DataClass, Limit, Removed, Table

PATIENCE = "SET LOCAL statement_timeout = '25s'; SET LOCAL lock_timeout = '500ms'"
"""Rows are locked before the layer's revision, the pipeline does it the other way round: where both want the same call, we give up
before PostgreSQL looks for deadlocks (1 s) and may end the batch."""
# A thing that somebody is changing now is left for the next turn.
CHOOSE = """
    SELECT {key}, {agency} FROM {source}
    JOIN unnest(%(agencies)s::bigint[], %(befores)s::timestamptz[]) AS rule (agency_id, before)
        ON {agency} IS NOT DISTINCT FROM rule.agency_id AND {age} < rule.before
    WHERE {age} < %(newest)s AND {where} AND {part} LIMIT %(most)s FOR UPDATE OF r SKIP LOCKED
"""
DELETE = "DELETE FROM {rows} WHERE {owned} RETURNING {thing}"
TALLY = """
    INSERT INTO retention_tally (day, generation, data_class, "table", agency_id, removed, held)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (day, generation, data_class, "table", agency_id)
    DO UPDATE SET removed = retention_tally.removed + excluded.removed, held = retention_tally.held + excluded.held
"""


class CannotRemove(Exception):
    """A class will not be removed from now; the text says why."""


def remove_some(data_class: DataClass, limits: Sequence[Limit], at: datetime, most: int) -> Removed:
    """Remove at most about `most` things. Both the copies for holds and the day's tally commit with the removal."""
    if data_class.folder is not None:
        return remove_files(data_class, limits, at, most)
    if data_class.remove is not None:
        return data_class.remove(limits, at, most)
    with publishing() as publication, connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        cursor.execute(choosing(data_class), limited(limits) | {"most": most})
        owner = {thing: agency for thing, agency in cursor.fetchall()}
        removed = remove_things(cursor, data_class, owner, at)
        removed.more = len(owner) >= most
        for layer in data_class.layers:
            for agency in {agency for agency in owner.values() if agency is not None}:
                publication.touch(layer, agency)
    return removed


def choosing(data_class: DataClass) -> str:
    parts = {name: getattr(data_class, name) for name in ("key", "agency", "source", "age", "where", "part")}
    return CHOOSE.format(**parts)


def limited(limits: Sequence[Limit]) -> dict[str, Any]:
    """Return the values that CHOOSE takes."""
    agencies, befores = zip(*limits, strict=True)
    return {"agencies": list(agencies), "befores": list(befores), "newest": max(befores)}


def remove_things(cursor: Cursor, data_class: DataClass, owner: dict[Any, int | None], at: datetime) -> Removed:
    """Remove things (by key, with their agency) and all rows that belong to them, in the caller's transaction."""
    removed = Removed()
    if not owner:
        return removed
    things = list(owner)
    if holding.are_holds(cursor, data_class):
        for table in data_class.tables:
            for agency, count in holding.copy_going(cursor, data_class, table, things, at=at).items():
                removed.held[table.name, agency] += count
    if data_class.before_removal is not None:
        data_class.before_removal(cursor, things)
    for table in data_class.tables:
        removed.rows.update(delete(cursor, table, owner))
    tally(cursor, data_class.name, removed, at)
    return removed


def delete(cursor: Cursor, table: Table, owner: dict[Any, int | None]) -> "Counter[tuple[str, int | None]]":
    cursor.execute(DELETE.format(rows=table.rows, owned=table.owned, thing=table.thing), {"things": list(owner)})
    return Counter((table.name, owner[thing]) for (thing,) in cursor.fetchall())


def tally(cursor: Cursor, name: str, removed: Removed, at: datetime) -> None:
    """Add to the day's tally, in the removal's own transaction: whatever is killed, both are there or neither."""
    generation = read_instance().generation
    for (table, agency), count in sorted(removed.rows.items(), key=lambda one: (one[0][0], one[0][1] or 0)):
        cursor.execute(TALLY, [at.date(), generation, name, table, agency or 0, count, removed.held[table, agency]])


def remove_files(data_class: DataClass, limits: Sequence[Limit], at: datetime, most: int) -> Removed:
    """Remove files of the class's folder whose last change (real time) is older than the rule of no agency."""
    assert data_class.folder is not None
    folder, [(_, limit)] = data_class.folder(), limits
    old = [file for file in sorted(folder.glob("**/*")) if file.is_file() and file.stat().st_mtime < limit.timestamp()][:most]
    removed = Removed(Counter({(folder.name, None): len(old)}) if old else Counter(), more=len(old) >= most)
    with transaction.atomic(), connection.cursor() as cursor:
        tally(cursor, data_class.name, removed, at)
        for file in old:
            file.unlink(missing_ok=True)
    return removed
