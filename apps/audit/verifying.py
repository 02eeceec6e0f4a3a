"""Go through the chain and say in plain sentences what is not as it was: an entry changed, deleted, put in or moved, the end cut
off, the whole rewritten. Pages of short transactions; nothing is written."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from apps.audit.anchors import is_genuine
from apps.audit.chain import COLUMNS, Connection, Link, beginning, copied, digest_of, last_link
from apps.audit.head_book import HeadBook, book

PAGE = 20_000
MOST_TOLD = 20
LINKS = f"""
    SELECT seal.sequence, encode(seal.digest, 'hex'), seal.entry_id, {COLUMNS}
    FROM audit_seal seal LEFT JOIN audit_entry entry ON entry.id = seal.entry_id
    WHERE seal.sequence > {{after}} ORDER BY seal.sequence LIMIT {PAGE}
"""
STRAY = f"""
    SELECT max(entry.id), array_agg(entry.id ORDER BY entry.id) FILTER (WHERE seal.entry_id IS NULL AND waiting.entry_id IS NULL)
    FROM (SELECT id FROM audit_entry WHERE id > %s ORDER BY id LIMIT {PAGE}) entry
    LEFT JOIN audit_seal seal ON seal.entry_id = entry.id LEFT JOIN audit_unsealed waiting ON waiting.entry_id = entry.id
"""
TAIL = """
    SELECT count(*), min(entry.written_at), array_agg(waiting.entry_id) FILTER (WHERE entry.id IS NULL)
    FROM audit_unsealed waiting LEFT JOIN audit_entry entry ON entry.id = waiting.entry_id
"""


@dataclass
class Report:
    """What was found. `problems` is empty when all is whole. `unsealed`: entries that wait for the sealer, the oldest since
    `unsealed_since`; they are no fault while `watch` runs. `settled`: what is not as it was, and was looked into."""

    problems: list[str] = field(default_factory=list)
    checked: int = 0
    first: int = 1
    head: Link | None = None
    heads: int = 0
    unsealed: int = 0
    unsealed_since: datetime | None = None
    took_s: float = 0.0
    untold: int = 0
    settled: list[str] = field(default_factory=list)
    settled_up_to: int = 0

    @property
    def is_whole(self) -> bool:
        return not self.problems

    def blame(self, sentence: str, link: int | None = None) -> None:
        told = self.settled if link is not None and link <= self.settled_up_to else self.problems
        if len(told) < MOST_TOLD:
            told += [sentence] if sentence not in told else []
        else:
            self.untold += 1


class Scan:
    """One passage through the chain, a page at each `step`. What a purge removes meanwhile is no fault."""

    def __init__(self, connection: Connection, heads: HeadBook) -> None:
        self.connection, self.heads, self.report = connection, heads, Report(settled_up_to=heads.settled)
        self.link: Link | None = None
        self.stray_after = 0
        self.steps = iter(self._steps())

    def step(self) -> bool:
        """Look at one page; return whether there is more."""
        begun = time.monotonic()
        more = next(self.steps, None) is not None
        self.report.took_s += time.monotonic() - begun
        return more

    def _steps(self) -> Iterator[bool]:
        while self._page():
            yield True
        while self._stray_page():
            yield True
        self._tail()
        self._ends()

    def _page(self) -> bool:
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            start = beginning(cursor)
            if self.link is None or self.link.sequence < start.sequence:
                self.link, self.report.first = start, start.sequence + 1
            if start.sequence and not is_genuine(cursor, self.heads.key):
                self.report.blame(f"the place where the chain begins since a purge (link {start.sequence}) is not signed by this instance")
            before = self.report.checked
            for row in copied(cursor, LINKS.format(after=self.link.sequence)):
                self._check(*row.split(b"\t", 3))
        return self.report.checked - before == PAGE

    def _check(self, number: bytes, written: bytes, entry_id: bytes, line: bytes) -> None:
        assert self.link is not None
        sequence, digest, entry = int(number), bytes.fromhex(written.decode()), entry_id.decode()
        if sequence != self.link.sequence + 1:
            self.report.blame(_missing(self.link.sequence + 1, sequence - 1), sequence - 1)
        elif line.startswith(b"\\N\t"):
            self.report.blame(f"entry {entry} was deleted; its seal, link {sequence}, is still there", sequence)
        elif digest_of(self.link.digest, line) != digest:
            self.report.blame(f"entry {entry} (link {sequence}) is not what was sealed: {_described(line)}", sequence)
        self.link = Link(sequence, digest)
        if signed_at := self.heads.other_than(self.link):
            self.report.blame(f"the chain was rewritten: link {sequence} is not the head that was signed at {signed_at}", sequence)
        self.report.checked += 1

    def _stray_page(self) -> bool:
        row = self.connection.execute(STRAY, [self.stray_after]).fetchone()
        if row is None or row[0] is None:
            return False
        for entry in row[1] or ():
            self.report.blame(f"entry {entry} has no seal and does not wait for one: it was put in, or its seal was deleted")
        self.stray_after = row[0]
        return True

    def _tail(self) -> None:
        row = self.connection.execute(TAIL).fetchone()
        assert row is not None
        self.report.unsealed, self.report.unsealed_since = row[0], row[1]
        for entry in row[2] or ():
            self.report.blame(f"entry {entry} was deleted before it was sealed")

    def _ends(self) -> None:
        self.heads.look()
        with self.connection.transaction(), self.connection.cursor() as cursor:
            self.report.head, self.report.heads = last_link(cursor), self.heads.count
        known = self.heads.newest
        if known is not None and self.report.head.sequence < known.sequence:
            self.report.blame(f"the end was deleted: {_missing(self.report.head.sequence + 1, known.sequence)}")
        for sentence in self.heads.wrong:
            self.report.blame(sentence)


def _missing(first: int, last: int) -> str:
    if first == last:
        return f"link {first} is missing: its entry and seal were deleted"
    return f"links {first} to {last} are missing: their entries and seals were deleted"


def _described(line: bytes) -> str:
    """Return what it says it is now, without who: the sentence goes into logs."""
    act = line.decode(errors="replace").split("\t")[2]
    return f"it or its seal was changed (it now reads {act})"


def verify(connection: Connection, heads: HeadBook | None = None) -> Report:
    """Go through the whole chain and the written heads on a connection of its own in autocommit. Raises signing.KeyMissing."""
    scan = Scan(connection, heads if heads is not None else book())
    while scan.step():
        continue
    return scan.report
