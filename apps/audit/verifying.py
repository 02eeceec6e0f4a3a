"""Go through the chain and say in plain sentences what is not as it was: an entry changed, deleted, put in or moved, the end cut
off, the whole rewritten. Pages of short transactions; nothing is written."""

import time
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from datetime import datetime

from apps.audit.anchors import faults_of
from apps.audit.chain import Connection, Link, beginning, last_link
from apps.audit.faults import Fault, missing
from apps.audit.following import PAGE, follow
from apps.audit.head_book import HeadBook, book

MOST_TOLD = 20
LOWEST = -(2**63)
STRAY = f"""
    SELECT max(entry.id), array_agg(entry.id ORDER BY entry.id) FILTER (WHERE seal.entry_id IS NULL AND waiting.entry_id IS NULL)
    FROM (SELECT id FROM audit_entry WHERE id >= %s ORDER BY id LIMIT {PAGE}) entry
    LEFT JOIN audit_seal seal ON seal.entry_id = entry.id LEFT JOIN audit_unsealed waiting ON waiting.entry_id = entry.id
"""
TAIL = """
    SELECT count(*), min(entry.written_at), array_agg(waiting.entry_id) FILTER (WHERE entry.id IS NULL)
    FROM audit_unsealed waiting LEFT JOIN audit_entry entry ON entry.id = waiting.entry_id
"""


@dataclass
class Report:
    """What was found. `problems` is empty when all is whole. `unsealed`: entries that wait for the sealer, the oldest since
    `unsealed_since`; they are no fault while `watch` runs. `settled`: what is not as it was, and was looked into. `marks`: of all that
    is found now and can be settled, also of what is no longer told one by one."""

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
    settled_untold: int = 0
    marks: set[str] = field(default_factory=set)

    @property
    def is_whole(self) -> bool:
        return not self.problems

    def blame(self, fault: Fault, settled: Set[str]) -> None:
        """Tell a fault: as settled when exactly that was, else as a problem."""
        if fault.mark in settled:
            self.settled_untold += not _kept(self.settled, fault.sentence)
        else:
            self.marks.add(fault.mark)
            self.say(fault.sentence)

    def say(self, sentence: str) -> None:
        """Tell a problem."""
        self.untold += not _kept(self.problems, sentence)


def _kept(told: list[str], sentence: str) -> bool:
    """Keep a sentence once, and no more than MOST_TOLD of them."""
    if sentence not in told and len(told) < MOST_TOLD:
        told.append(sentence)
    return sentence in told


class Scan:
    """One passage through the chain, a page at each `step`. What a purge removes meanwhile is no fault."""

    def __init__(self, connection: Connection, heads: HeadBook) -> None:
        self.connection, self.heads, self.report = connection, heads, Report()
        self.link: Link | None = None
        self.settled = heads.settled
        self.anchor = 0
        self.stray_from = LOWEST
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
            if start.sequence != self.anchor:
                self._blame(faults_of(cursor, self.heads))
                self.anchor = start.sequence
            before = self.report.checked
            for link, faults in follow(cursor, self.link, self.heads):
                self.link = link
                self._blame(faults)
                self.report.checked += 1
        return self.report.checked - before == PAGE

    def _blame(self, faults: list[Fault]) -> None:
        for fault in faults:
            self.report.blame(fault, self.settled)

    def _stray_page(self) -> bool:
        row = self.connection.execute(STRAY, [self.stray_from]).fetchone()
        if row is None or row[0] is None:
            return False
        for entry in row[1] or ():
            self.report.say(f"entry {entry} has no seal and does not wait for one: it was put in, or its seal was deleted")
        self.stray_from = row[0] + 1
        return True

    def _tail(self) -> None:
        row = self.connection.execute(TAIL).fetchone()
        assert row is not None
        self.report.unsealed, self.report.unsealed_since = row[0], row[1]
        for entry in row[2] or ():
            self.report.say(f"entry {entry} was deleted before it was sealed")

    def _ends(self) -> None:
        self.heads.look()
        with self.connection.transaction(), self.connection.cursor() as cursor:
            self.report.head, self.report.heads = last_link(cursor), self.heads.count
        self.settled = self.heads.settled
        known, last = self.heads.newest, self.report.head.sequence
        if known is not None and last < known.sequence:
            self._blame([missing(last + 1, known.sequence, at_end=True)])
        self._blame(self.heads.wrong)
        for sentence in self.heads.lost:
            self.report.say(sentence)


def verify(connection: Connection, heads: HeadBook | None = None) -> Report:
    """Go through the whole chain and the written heads on a connection of its own in autocommit. Raises signing.KeyMissing."""
    scan = Scan(connection, heads if heads is not None else book())
    while scan.step():
        continue
    return scan.report
