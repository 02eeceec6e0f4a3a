"""Remove old entries with their seals, so that what stays still verifies."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings

from apps.audit.anchors import LEAST, faults_of, text_of
from apps.audit.chain import Link, beginning, digest_at
from apps.audit.faults import Fault
from apps.audit.following import follow
from apps.audit.head_book import HeadBook
from apps.audit.heads import first_later, folders, moment
from apps.audit.operations import record
from apps.audit.signing import read_key

MOST_TOLD = 5
IS_OLD = "SELECT 1 FROM audit_entry WHERE written_at < %s LIMIT 1"
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
    """Remove all entries from the chain's beginning up to the first that was written on the day of `before` (UTC) or later; return how
    many. Whatever `before` is, nothing goes that is younger than anchors.LEAST, by its own time or by that of the head that covers it.

    To be called within a transaction, on Django's cursor: entries, seals, the signed anchor and an entry `audit_purged` commit
    together. Nothing is removed, and no row written, when nothing is old enough. Raises NotWhole, signing.KeyMissing.
    """
    before = whole_day(min(before, at - LEAST))
    link = _last_going(cursor, before, at)
    if link is None:
        return 0
    key = read_key(Path(settings.STATE_FOLDER))
    _refuse_unless_whole(cursor, link, key.public_key())
    removed = _remove(cursor, link)
    cursor.execute(ANCHOR, [link.sequence, link.digest, removed, at, key.sign(text_of(link, removed, at))])
    record("audit_purged", target=f"audit:{link.sequence}", count=removed, detail={"before": before.isoformat()})
    return removed


def whole_day(time: datetime) -> datetime:
    """Return the midnight (UTC) before: a purge a day leaves one anchor and one entry."""
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _last_going(cursor: Any, before: datetime, at: datetime) -> Link | None:
    """Return the last link that is old enough; None when there is none. A head signed later shows what is not as old as it says."""
    if not cursor.execute(IS_OLD, [before]).fetchone():
        return None
    kept = cursor.execute(FIRST_KEPT, [before]).fetchone()
    [sequence] = cursor.execute(CUT, [kept[0] if kept else None]).fetchone()
    young = first_later(moment(at - LEAST)) if sequence is not None else None
    if young is not None and young <= sequence:
        [sequence] = cursor.execute(CUT, [young]).fetchone()
    digest = digest_at(cursor, sequence) if sequence is not None else None
    return Link(sequence, digest) if digest is not None else None


def _refuse_unless_whole(cursor: Any, link: Link, key: Ed25519PublicKey) -> None:
    """Check what would go against its seals: a fault in it that nobody looked into would be gone with it. Raises NotWhole."""
    if cursor.execute(PROBLEMS).fetchone():
        raise NotWhole("the audit is not whole (./rtcc run verify-audit tells why): nothing is purged before ./rtcc run audit-settled")
    faults = _faults_until(cursor, link, HeadBook(key, []))
    if faults:
        heads = HeadBook(key, folders(), only={fault.link for fault in faults})
        heads.look()
        faults = [fault for fault in _faults_until(cursor, link, heads) if fault.mark not in heads.settled]
    if faults:
        told = "; ".join(fault.sentence for fault in faults[:MOST_TOLD])
        raise NotWhole(f"the audit is not whole, nothing is purged before ./rtcc run audit-settled: {told}")


def _faults_until(cursor: Any, last: Link, heads: HeadBook) -> list[Fault]:
    faults, link = faults_of(cursor, heads), beginning(cursor)
    while page := list(follow(cursor, link, heads, last.sequence)):
        faults += [fault for _, found in page for fault in found]
        link = page[-1][0]
    return faults


def _remove(cursor: Any, link: Link) -> int:
    """Remove entries and seals up to a link; return how many entries it were."""
    cursor.execute(NAME_ONESELF)
    cursor.execute(REMOVE_ENTRIES, [link.sequence])
    removed = int(cursor.rowcount)
    cursor.execute(REMOVE_SEALS, [link.sequence])
    cursor.execute("SET LOCAL rtcc.audit_purge = ''")
    return removed
