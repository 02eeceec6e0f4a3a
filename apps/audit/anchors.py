"""What a purge leaves of the links that it removed: the last of them, signed, from which the rest still verifies."""

from datetime import datetime, timedelta
from typing import Any

from apps.audit.chain import ANCHOR, Link
from apps.audit.faults import Fault
from apps.audit.head_book import HeadBook
from apps.audit.heads import moment
from apps.audit.signing import is_signed

LEAST = timedelta(days=365)
"""No entry goes sooner, whatever a rule in the database says."""


def text_of(link: Link, removed: int, at: datetime) -> bytes:
    """Return the bytes of an anchor that are signed."""
    return f"anchor {link.sequence} {link.digest.hex()} {removed} {round(at.timestamp() * 1_000_000)}".encode()


def faults_of(cursor: Any, heads: HeadBook) -> list[Fault]:
    """Return what is wrong with the newest anchor: this instance did not sign it, or it covers what was sealed within LEAST of it."""
    row = cursor.execute(ANCHOR).fetchone()
    if row is None:
        return []
    link, removed, at, signature = Link(row[0], bytes(row[1])), row[2], row[3], bytes(row[4])
    text, faults = text_of(link, removed, at), []
    if not is_signed(heads.key, signature, text):
        sentence = f"the place where the chain begins since a purge (link {link.sequence}) is not signed by this instance"
        faults.append(Fault(sentence, "anchor", link.sequence, text + signature))
    if signed_at := heads.first_signed(link.sequence, moment(at - LEAST), moment(at)):
        sentence = f"the purge of {moment(at)} (up to link {link.sequence}) took what was not a year old: it was signed at {signed_at}"
        faults.append(Fault(sentence, "young", link.sequence, text))
    return faults
