"""What migrations say so that row security holds on a table: who reads in `net.seen_by` sees rows of agencies by the member's grants.

The owner (pipeline, hubs, operations, admin) is not bound by it. What nobody gave to the reader cannot be read in `seen_by` at all.
The conditions are written so that the planner expects them to hold for nearly every row: plans stay as they are without them
(docs/decisions/0033).
"""

from django.db import migrations

from apps.layers.net import READER

GRANT = "GRANT SELECT{columns} ON {table} TO {reader};"
SECURE = GRANT + """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY {table}_seen ON {table} FOR SELECT TO {reader} USING ({condition});
"""
REVOKE = "REVOKE SELECT{columns} ON {table} FROM {reader};"
RELEASE = REVOKE + """
DROP POLICY {table}_seen ON {table};
ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
"""
# A subselect that names no row is asked once a statement.
OF_AGENCIES = "array_position((SELECT accounts_agencies_seen({layer}))::bigint[], {column}) IS NOT NULL"
# Where the member may see the layer of every agency, as where there is only one, no parent needs to be looked up.
THROUGH = "(SELECT accounts_sees_all({layer})) OR EXISTS (SELECT FROM {parent} parent WHERE parent.id = {column})"


def by_agency(table: str, *, layer: str | None, column: str = "agency_id") -> migrations.RunSQL:
    """Show rows of the agencies whose `layer` the member may see; None: of which they may see any layer."""
    return _secured(table, OF_AGENCIES.format(column=column, layer=_quoted(layer)))


def through(table: str, *, column: str, parent: str, layer: str) -> migrations.RunSQL:
    """Show rows whose parent row is shown; the parent's table is secured by `layer`."""
    return _secured(table, THROUGH.format(column=column, parent=parent, layer=_quoted(layer)))


def names_only(table: str, columns: str) -> migrations.RunSQL:
    """Let these columns be read of every row: what things are called, and no place, fact or setting."""
    words = {"table": table, "columns": f" ({columns})", "reader": READER}
    return migrations.RunSQL(GRANT.format(**words), REVOKE.format(**words))


def _secured(table: str, condition: str) -> migrations.RunSQL:
    words = {"table": table, "columns": "", "reader": READER, "condition": condition}
    return migrations.RunSQL(SECURE.format(**words), RELEASE.format(**words))


def _quoted(layer: str | None) -> str:
    return f"'{layer}'" if layer else "NULL"
