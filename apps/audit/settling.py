"""Put in order what has no link: entries without a seal are sealed as they are now, and what waits without an entry waits no more."""

from apps.audit.chain import Connection, Link, last_link

STRAY = """
    INSERT INTO audit_unsealed (entry_id) SELECT entry.id FROM audit_entry entry
    WHERE NOT EXISTS (SELECT FROM audit_seal seal WHERE seal.entry_id = entry.id) ON CONFLICT DO NOTHING
"""
LOST = "DELETE FROM audit_unsealed waiting WHERE NOT EXISTS (SELECT FROM audit_entry entry WHERE entry.id = waiting.entry_id)"


def put_in_order(connection: Connection) -> Link:
    """Return the newest link that the database holds."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(STRAY)
        cursor.execute(LOST)
        return last_link(cursor)
