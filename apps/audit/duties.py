"""What `watch` does for the audit: seals each second, writes the signed head each minute, and goes through the chain again and again."""

import json
import logging
import time
from datetime import UTC, datetime

from apps.audit import heads
from apps.audit.chain import GENESIS, Connection, beginning, digest_at, last_link
from apps.audit.head_book import HeadBook, book
from apps.audit.heads import head_now
from apps.audit.memory import Memory
from apps.audit.refusals import settle
from apps.audit.sealing import MOST, seal
from apps.audit.signing import KeyMissing
from apps.audit.verifying import Report, Scan

log = logging.getLogger(__name__)
SLICE_S = 0.4
"""Of each second, as long as the chain is gone through. At 100,000 entries a second (a busy core) a minute is enough for two million;
a longer chain takes longer, and doctor says how long."""
LEAST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 20.0
"""Between two passages: ten times as long as one took, within these."""
FOUND = """
    INSERT INTO audit_entry (act, member_name, road, target, reason, detail) VALUES ('chain_broken', '', 'process', 'audit', %s, '{}')
"""
SEALED = """
    INSERT INTO audit_chainstate (id, sealed_at, checked, problems) VALUES (1, %(at)s, 0, '[]')
    ON CONFLICT (id) DO UPDATE SET sealed_at = excluded.sealed_at
"""
HEAD_WRITTEN = "UPDATE audit_chainstate SET head_at = %s WHERE id = 1"
CHECKED = "UPDATE audit_chainstate SET checked_at = %s, checked = %s, round_s = %s, problems = %s WHERE id = 1"
PROBLEMS = "UPDATE audit_chainstate SET problems = %s WHERE id = 1"
KNOWN_PROBLEMS = "SELECT problems FROM audit_chainstate WHERE id = 1"


class Keeper:
    """The audit's keeper in the one `watch` that is active, on its connection. Made anew when that becomes active, with the memory of
    the one before."""

    def __init__(self, connection: Connection, memory: Memory | None = None) -> None:
        self.connection = connection
        self.memory = memory or Memory()
        self.book: HeadBook | None = None
        self.known = GENESIS
        self.scan: Scan | None = None
        self.begun = self.next_at = 0.0
        self.told: set[str] = set()
        self.of_heads: list[str] = []
        row = connection.execute(KNOWN_PROBLEMS).fetchone()
        self.told.update(row[0] if row else ())
        self._open_book()

    def seal(self) -> None:
        """Seal all that waits. An end that is not the one known is told at once, also when no head was written since."""
        with self.connection.cursor() as cursor:
            if self.known.sequence and digest_at(cursor, self.known.sequence) != self.known.digest and not self._is_purged():
                self._tell([f"link {self.known.sequence}, the chain's end a moment ago, is gone or was changed"])
        sealed = MOST
        while sealed == MOST:
            self.known, sealed = seal(self.connection, self.known)
            self.memory.keep(self.known, datetime.now(UTC))
        self.connection.execute(SEALED, {"at": datetime.now(UTC)})
        if self.book is not None:
            self.memory.write(heads.own_key())

    def write_head(self) -> None:
        """Sign the chain's newest link and write it off the database."""
        try:
            key = heads.own_key()
        except KeyMissing as error:
            self.of_heads = [str(error)]
        else:
            with self.connection.cursor() as cursor:
                count = self.known.sequence - beginning(cursor).sequence
            at = datetime.now(UTC)
            self.of_heads = heads.write(head_now(self.known, count, at), key)
            self.connection.execute(HEAD_WRITTEN, [at])
        self._tell(self.of_heads)

    def verify(self) -> None:
        """Go on through the chain for a slice of time; begin anew some seconds after its end."""
        if self.scan is None:
            if time.monotonic() < self.next_at or not self._open_book() or self.book is None:
                return
            self.book.look()
            self.scan, self.begun = Scan(self.connection, self.book), time.monotonic()
        until = time.monotonic() + SLICE_S
        more = True
        while more and time.monotonic() < until:
            more = self.scan.step()
        self._tell(self.scan.report.problems)
        if not more:
            self._finish(self.scan.report)

    def settle_refusals(self) -> None:
        """Write one entry for what was refused again and again in minutes that have ended."""
        settle(self.connection, datetime.now(UTC))

    def _finish(self, report: Report) -> None:
        problems = [*report.problems, *self.of_heads]
        took = round(time.monotonic() - self.begun, 1)
        self.connection.execute(CHECKED, [datetime.now(UTC), report.checked, took, json.dumps(problems)])
        self.told, self.scan = set(problems), None
        self.next_at = time.monotonic() + min(LONGEST_PAUSE_S, max(LEAST_PAUSE_S, 10 * report.took_s))

    def _tell(self, problems: list[str]) -> None:
        """Log each new problem, keep it where doctor and the review page look, and write it into the audit itself."""
        new = [sentence for sentence in problems if sentence not in self.told]
        if not new:
            return
        self.told.update(new)
        for sentence in new:
            log.error("audit: %s", sentence)
            self.connection.execute(FOUND, [sentence[:300]])
        self.connection.execute(PROBLEMS, [json.dumps(sorted(self.told))])

    def _open_book(self) -> bool:
        """Read the written heads, the first time from their beginning. What was known and is not in the database is known to be gone."""
        if self.book is None:
            try:
                self.book = self.memory.book or book()
            except KeyMissing as error:
                self._tell([str(error)])
                return False
            self._recall(self.book)
        return True

    def _recall(self, book: HeadBook) -> None:
        """Begin with the newest link of memory, heads and database. Of one link's digests the first of these is right."""
        book.look()
        self.memory.book = book
        wrong = self.memory.recall(book.key)
        self.memory.forget_before(book.restored_at)
        with self.connection.cursor() as cursor:
            links = self.memory.known, book.newest or GENESIS, self.known, last_link(cursor)
        self.known = max(links, key=lambda link: link.sequence)
        self._tell([wrong] if wrong else [])

    def _is_purged(self) -> bool:
        row = self.connection.execute("SELECT max(sequence) FROM audit_anchor").fetchone()
        return bool(row and row[0] is not None and row[0] >= self.known.sequence)
