"""After a database was brought back from a backup: nothing that was loaded or signed in before may go on."""

from django.contrib.sessions.models import Session
from django.db import connection, transaction

from apps.accounts.models import MemberSession
from apps.audit.operations import record

NEXT_GENERATION = """
    UPDATE accounts_instance SET generation = greatest(generation + 1, extract(epoch FROM clock_timestamp())::bigint) RETURNING generation
"""

NEXT_EPOCH = "UPDATE accounts_grantepoch SET epoch = greatest(epoch + 1, extract(epoch FROM clock_timestamp())::bigint)"


@transaction.atomic
def settle_restored(*, reached: str) -> int:
    """Give the database a generation and an epoch of grants that no copy of it ever had, so that hubs, pipelines and caches (the tags
    of tiles are made of the epoch and of revisions, which are now counted anew) begin anew, and end every session: one that was cut
    off after the moment would be open again. Writes an audit row with the moment `reached`. Returns how many sessions ended."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_GENERATION)
        generation = cursor.fetchone()
        cursor.execute(NEXT_EPOCH)
    Session.objects.all().delete()  # of the server before sessions knew their member
    ended, _ = MemberSession.objects.all().delete()
    record("database_restored", target=f"moment:{reached}", count=ended, detail={"generation": generation[0] if generation else None})
    return ended
