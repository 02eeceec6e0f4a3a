"""Read the heads that were written off the database, each checked once, as they come."""

import json
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from apps.audit.chain import Link
from apps.audit.faults import Fault
from apps.audit.heads import FILES, Head, folders, own_key
from apps.audit.signing import is_signed

SEQUENCE = re.compile(rb'"sequence":(\d+)')


class BadHead(ValueError):
    """A line of the written heads is not one, or its signature does not fit."""


def read_head(line: bytes, key: Ed25519PublicKey) -> Head:
    """Raises BadHead."""
    try:
        facts: dict[str, Any] = json.loads(line)
        signature = bytes.fromhex(facts.pop("signature"))
        head = Head(**facts)
        text = head.text()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadHead("cannot be read") from error
    if not is_signed(key, signature, text):
        raise BadHead("is not signed with this instance's key")
    return head


@dataclass
class Shelf:
    """The heads of one folder, by sequence, each with when it was first signed; and how far each of its files was read.

    `settled`: marks of what was looked into. `wrong`: what is wrong with lines. `lost`: what went while we looked on.
    """

    digests: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    newest: Link | None = None
    read: dict[Path, int] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    restored_at: str = ""
    wrong: dict[str, Fault] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def blame(self, sentence: str, found: bytes) -> None:
        fault = Fault(sentence, "head", 0, found)
        self.wrong.setdefault(fault.mark, fault)

    def put(self, head: Head) -> None:
        """Keep a head; blame one that says another thing than one before."""
        if head.restored:
            self._restore(head)
        link = Link(head.sequence, bytes.fromhex(head.digest))
        known = self.digests.setdefault(link.sequence, (link.digest, head.at))
        if self.newest is None or link.sequence > self.newest.sequence:
            self.newest = link
        if known[0] != link.digest:
            self.blame(f"two written heads of link {link.sequence} differ ({known[1]} and {head.at})", known[0] + link.digest)
        if head.settled:
            self.settled.update(head.found)
            self.lost.clear()

    def _restore(self, head: Head) -> None:
        """What was known of later links is void: they are written anew."""
        self.digests = {sequence: known for sequence, known in self.digests.items() if sequence <= head.sequence}
        self.settled = {mark for mark in self.settled if int(mark.partition(":")[0]) <= head.sequence}
        self.newest, self.restored_at = None, max(self.restored_at, head.at)


class HeadBook:
    """The heads that were written, wherever they were. `look` reads what has come since; a line is checked once. With `only`, of the
    ordinary heads those of these links alone."""

    def __init__(self, key: Ed25519PublicKey, folders: Sequence[Path], only: Set[int] | None = None) -> None:
        self.key, self.only = key, only
        self.shelves = {folder: Shelf() for folder in folders}
        self.count = 0

    @property
    def wrong(self) -> list[Fault]:
        """Return what is wrong with the heads themselves."""
        return [fault for shelf in self.shelves.values() for fault in shelf.wrong.values()]

    @property
    def lost(self) -> list[str]:
        """Return which files went or became shorter while we looked on, as sentences."""
        return [sentence for shelf in self.shelves.values() for sentence in shelf.lost]

    @property
    def settled(self) -> set[str]:
        """The marks of what was looked into and settled."""
        return set().union(*(shelf.settled for shelf in self.shelves.values()))

    @property
    def restored_at(self) -> str:
        """When the database was last put back on purpose; empty when it never was."""
        return max((shelf.restored_at for shelf in self.shelves.values()), default="")

    @property
    def newest(self) -> Link | None:
        """The link that the chain must have reached."""
        ends = [shelf.newest for shelf in self.shelves.values() if shelf.newest is not None]
        return max(ends, key=lambda link: link.sequence, default=None)

    def other_than(self, link: Link) -> str:
        """Return when another head of this link was signed; empty when none was."""
        for shelf in self.shelves.values():
            known = shelf.digests.get(link.sequence)
            if known is not None and known[0] != link.digest:
                return known[1]
        return ""

    def digest_of(self, sequence: int) -> bytes | None:
        """Return the digest that a signed head gives a link; None when there is no head of it."""
        return next((shelf.digests[sequence][0] for shelf in self.shelves.values() if sequence in shelf.digests), None)

    def first_signed(self, sequence: int, after: str, until: str) -> str:
        """Return when a link up to this one was signed for the first time in any folder, if that was within a span; else nothing."""
        for shelf in self.shelves.values():
            for number, (_, at) in shelf.digests.items():
                if after < at <= until and number <= sequence and at == self._first_at(number):
                    return at
        return ""

    def _first_at(self, sequence: int) -> str:
        return min(shelf.digests[sequence][1] for shelf in self.shelves.values() if sequence in shelf.digests)

    def look(self) -> None:
        for folder, shelf in self.shelves.items():
            found = set(folder.glob(FILES))
            for lost in sorted(shelf.read.keys() - found):
                shelf.lost.append(f"the file of written heads {lost.name} in {folder} is gone")
                del shelf.read[lost]
            for path in sorted(found):
                self._read(path, shelf)

    def _read(self, path: Path, shelf: Shelf) -> None:
        done, size = shelf.read.get(path, 0), path.stat().st_size
        if size < done:
            shelf.lost.append(f"the file of written heads {path.name} in {path.parent} has become shorter")
            shelf.read[path] = size
        if size <= done:
            return
        with path.open("rb") as file:
            file.seek(done)
            for line in _whole_lines(file.read()):
                self._take(line, path, shelf)
                done += len(line)
        shelf.read[path] = done

    def _take(self, line: bytes, path: Path, shelf: Shelf) -> None:
        if self.only is not None and not _is_wanted(line, self.only):
            return
        try:
            head = read_head(line, self.key)
        except BadHead as error:
            shelf.blame(f"a written head in {path} {error}", path.name.encode() + line)
            return
        self.count += 1
        shelf.put(head)


def _is_wanted(line: bytes, links: Set[int]) -> bool:
    number = SEQUENCE.search(line)
    return b'"restored":' in line or b'"settled":' in line or bool(number and int(number[1]) in links)


def _whole_lines(text: bytes) -> Iterator[bytes]:
    """A line without its end is being written: it is read the next time."""
    yield from (line for line in text.splitlines(keepends=True) if line.endswith(b"\n"))


def book(public_key: Ed25519PublicKey | None = None, places: Sequence[Path] | None = None) -> HeadBook:
    """Return the heads written so far. Raises signing.KeyMissing."""
    found = HeadBook(public_key or own_key().public_key(), places or folders())
    found.look()
    return found
