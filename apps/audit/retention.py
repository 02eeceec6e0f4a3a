"""Remove old entries with their seals, so that what stays still verifies."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.audit.anchors import text_of
from apps.audit.chain import Link, digest_at
from apps.audit.operations import record
from apps.audit.signing import read_key

# The first link whose entry must stay: whatever comes before it is older.
FIRST_KEPT = """
    SELECT seal.sequence FROM audit_seal seal JOIN audit_entry entry ON entry.id = seal.entry_id
    WHERE entry.written_at >= %s ORDER BY seal.sequence LIMIT 1
"""
CUT = "SELECT max(sequence) FROM audit_seal WHERE sequence < coalesce(%s, 9223372036854775807)"
NAME_ONESELF = "SET LOCAL rtcc.audit_purge = 'retention'"
REMOVE_ENTRIES = "DELETE FROM audit_entry USING audit_seal seal WHERE seal.entry_id = audit_entry.id AND seal.sequence <= %s"
REMOVE_SEALS = "DELETE FROM audit_seal WHERE sequence <= %s"
ANCHOR = "INSERT INTO audit_anchor (sequence, digest, removed, at, signature) VALUES (%s, %s, %s, %s, %s)"
PROBLEMS = "SELECT problems FROM audit_chainstate WHERE problems <> '[]'"


class NotWhole(Exception):
    """The chain is not whole: what would be purged may be the evidence."""


def purge_before(cursor: Any, before: datetime, *, at: datetime) -> int:
    """Remove all entries from the chain's beginning up to the first that was written at `before` or later; return how many.

    To be called within a transaction, on Django's cursor: entries, seals, the signed anchor and an entry `audit_purged` commit
    together. Nothing is removed, and no row written, when nothing is old enough. Raises NotWhole, signing.KeyMissing.
    """
    cursor.execute(PROBLEMS)
    if cursor.fetchone():
        raise NotWhole("the audit is not whole (./rtcc run verify-audit tells why): nothing is purged before ./rtcc run audit-settled")
    cursor.execute(FIRST_KEPT, [before])
    kept = cursor.fetchone()
    cursor.execute(CUT, [kept[0] if kept else None])
    sequence = cursor.fetchone()[0]
    digest = digest_at(cursor, sequence) if sequence is not None else None
    if digest is None:
        return 0
    link = Link(sequence, digest)
    cursor.execute(NAME_ONESELF)
    cursor.execute(REMOVE_ENTRIES, [sequence])
    removed = int(cursor.rowcount)
    cursor.execute(REMOVE_SEALS, [sequence])
    cursor.execute("SET LOCAL rtcc.audit_purge = ''")
    signature = read_key(Path(settings.STATE_FOLDER)).sign(text_of(link, removed, at))
    cursor.execute(ANCHOR, [link.sequence, link.digest, removed, at, signature])
    record("audit_purged", target=f"audit:{sequence}", count=removed, detail={"before": before.isoformat()})
    return removed
