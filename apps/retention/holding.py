"""Copies for holds: which rows a hold finds, as they are now or as they go."""

from collections import Counter
from datetime import datetime

from apps.layers.definition import Cursor
from apps.retention.definition import DataClass, Table

# Of `{rows}` called `r`, copy what holds in force find. A row that is copied already is copied anew when it has changed since.
COPY = """
    INSERT INTO retention_heldrow (hold_id, data_class, "table", key, at, row, digest, copied_at)
    SELECT DISTINCT ON (hold.id, said.key) hold.id, %(class)s, %(table)s, said.key, said.at, said.row,
        encode(sha256(convert_to(said.row::text, 'UTF8')), 'hex'), %(now)s
    FROM {rows} {joins}
    CROSS JOIN LATERAL (
        SELECT ({key})::text AS key, ({at})::timestamptz AS at, ({agency})::bigint AS agency_id, {identities} AS identities,
            {place} AS place, to_jsonb(r) AS row
    ) said
    JOIN retention_hold hold ON hold.released_at IS NULL AND hold.classes && %(classes)s::varchar[]
        AND (said.agency_id = hold.agency_id OR (said.agency_id IS NULL AND %(of_none)s))
        AND said.at >= hold.starts_at AND (hold.ends_before IS NULL OR said.at < hold.ends_before)
        AND (hold.identity = '' OR hold.identity = ANY(said.identities))
        AND (hold.area IS NULL OR said.place IS NULL OR ST_Intersects(said.place, hold.area))
    WHERE {where}
    ORDER BY hold.id, said.key, hold.asked_at
    ON CONFLICT (hold_id, "table", key) DO UPDATE SET row = excluded.row, digest = excluded.digest, copied_at = excluded.copied_at
        WHERE retention_heldrow.digest <> excluded.digest
"""
HAS = """
    SELECT ({agency})::bigint, count(*) FROM {rows} {joins} WHERE {where} AND EXISTS (
        SELECT FROM retention_heldrow held WHERE held."table" = %(table)s AND held.key = ({key})::text
    ) GROUP BY 1
"""


def having(table: Table, *, where: str = "TRUE") -> str:
    """Return the statement that counts by agency the rows that some hold has."""
    return HAS.format(rows=table.rows, joins=table.joins, key=table.key, agency=table.agency, where=where)


def copying(table: Table, *, rows: str, where: str = "TRUE") -> str:
    """Return the statement that copies what holds find of `rows`, which have the table's columns and are called `r`.
    It takes the values of `values`, and those of `where`."""
    identities = f"array_remove(ARRAY[{table.identity}]::text[], NULL)"
    return COPY.format(
        rows=rows, joins=table.joins, key=table.key, at=table.at, agency=table.agency, identities=identities, place=table.place, where=where
    )


def values(data_class: DataClass, table: Table, *, at: datetime) -> dict[str, object]:
    """What is of no agency at all (sessions) is found by the hold of any; a row whose agency is gone by none."""
    classes = [data_class.name, *([table.of] if table.of else [])]
    return {"class": table.of or data_class.name, "classes": classes, "table": table.name, "now": at, "of_none": not data_class.by_agency}


def are_holds(cursor: Cursor, data_class: DataClass) -> bool:
    """Whether any hold in force names what goes with the class: most often none does, and removals need not look for what it finds.
    None can be made until the caller's transaction ends: a hold has all that was there when it was asked for."""
    cursor.execute("LOCK TABLE retention_hold IN SHARE MODE")
    names = [data_class.name, *(table.of for table in data_class.tables if table.of)]
    cursor.execute("SELECT FROM retention_hold WHERE released_at IS NULL AND classes && %s::varchar[] LIMIT 1", [names])
    return bool(cursor.fetchall())


def copy_going(cursor: Cursor, data_class: DataClass, table: Table, things: list[object], *, at: datetime) -> "Counter[int | None]":
    """Copy what holds find of the rows that belong to `things`, before they are removed in the same transaction.
    Return how many rows of each agency a hold has (those that were copied before, too)."""
    if not table.held:
        return Counter()
    given = {**values(data_class, table, at=at), "things": things}
    cursor.execute(copying(table, rows=table.rows, where=table.owned), given)
    cursor.execute(having(table, where=table.owned), given)
    return Counter({agency: count for agency, count in cursor.fetchall()})
