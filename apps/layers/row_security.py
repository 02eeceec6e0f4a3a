"""What migrations say so that row security holds on a table: who reads in `net.seen_by` sees rows of agencies by the member's grants.

The owner (pipeline, hubs, operations, admin) is not bound by it. Reads of tables that nobody gave to the reader fail.
"""

from django.db import migrations

from apps.layers.net import READER

SECURE = """
GRANT SELECT{columns} ON {table} TO {reader};
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY {table}_seen ON {table} FOR SELECT TO {reader} USING ({condition});
"""
RELEASE = """
DROP POLICY {table}_seen ON {table};
ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
REVOKE ALL ON {table} FROM {reader};
"""
# The subselect makes the planner ask for the grants once a statement, not once a row.
OF_AGENCIES = "{column} = ANY ((SELECT accounts_agencies_seen({layer}))::bigint[])"


def by_agency(table: str, *, layer: str | None, column: str = "agency_id", columns: str = "") -> migrations.RunSQL:
    """Show rows of the agencies whose `layer` the member may see; None: of which they may see any layer. `columns` are those that
    may be read at all (all when empty)."""
    wanted = f"'{layer}'" if layer else "NULL"
    return secure(table, OF_AGENCIES.format(column=column, layer=wanted), columns)


def through(table: str, *, column: str, parent: str) -> migrations.RunSQL:
    """Show rows whose parent row is shown."""
    return secure(table, f"EXISTS (SELECT FROM {parent} parent WHERE parent.id = {column})")


def secure(table: str, condition: str, columns: str = "") -> migrations.RunSQL:
    listed = f" ({columns})" if columns else ""
    return migrations.RunSQL(
        SECURE.format(table=table, reader=READER, condition=condition, columns=listed), RELEASE.format(table=table, reader=READER)
    )
