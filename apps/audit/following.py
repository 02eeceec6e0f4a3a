"""Follow the chain from a link on: each next link, with what is wrong with it."""

from collections.abc import Iterator
from typing import Any

from apps.audit.chain import COLUMNS, Link, copied, digest_of
from apps.audit.faults import Fault, missing
from apps.audit.head_book import HeadBook

PAGE = 20_000
LAST = 2**63 - 1
LINKS = f"""
    SELECT seal.sequence, encode(seal.digest, 'hex'), seal.entry_id, {COLUMNS}
    FROM audit_seal seal LEFT JOIN audit_entry entry ON entry.id = seal.entry_id
    WHERE seal.sequence > {{after}} AND seal.sequence <= {{upto}} ORDER BY seal.sequence LIMIT {PAGE}
"""


def follow(cursor: Any, after: Link, heads: HeadBook, upto: int = LAST) -> Iterator[tuple[Link, list[Fault]]]:
    """Yield the next PAGE links at most. To be read to its end: it holds the cursor."""
    for row in copied(cursor, LINKS.format(after=after.sequence, upto=upto)):
        after, faults = _next(after, row, heads)
        yield after, faults


def _next(before: Link, row: bytes, heads: HeadBook) -> tuple[Link, list[Fault]]:
    """Behind a gap only a signed head says what the digest before was; where there is none, what follows is part of what was found."""
    number, written, entry_id, line = row.split(b"\t", 3)
    link, entry, faults = Link(int(number), bytes.fromhex(written.decode())), entry_id.decode(), []
    is_gap = link.sequence != before.sequence + 1
    digest = heads.digest_of(link.sequence - 1) if is_gap else before.digest
    if is_gap:
        follows = b"" if digest is not None else link.digest + line
        faults.append(missing(before.sequence + 1, link.sequence - 1, follows))
    if line.startswith(b"\\N\t"):
        sentence = f"entry {entry} was deleted; its seal, link {link.sequence}, is still there"
        faults.append(Fault(sentence, "deleted", link.sequence, link.digest))
    elif digest is not None and digest_of(digest, line) != link.digest:
        sentence = f"entry {entry} (link {link.sequence}) is not what was sealed: {_described(line)}"
        faults.append(Fault(sentence, "changed", link.sequence, link.digest + line))
    if signed_at := heads.other_than(link):
        sentence = f"the chain was rewritten: link {link.sequence} is not the head that was signed at {signed_at}"
        faults.append(Fault(sentence, "rewritten", link.sequence, link.digest))
    return link, faults


def _described(line: bytes) -> str:
    """Return what it says it is now, without who: the sentence goes into logs."""
    act = line.decode(errors="replace").split("\t")[2]
    return f"it or its seal was changed (it now reads {act})"
