"""Read the heads that were written off the database, each checked once, as they come."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from apps.audit.chain import Link
from apps.audit.heads import FILES, Head, folders, own_key
from apps.audit.signing import is_signed


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
    """The heads of one folder, by sequence; and how far each of its files was read."""

    digests: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    newest: Link | None = None
    read: dict[Path, int] = field(default_factory=dict)
    settled: int = 0
    wrong: list[str] = field(default_factory=list)

    def blame(self, sentence: str) -> None:
        if sentence not in self.wrong:
            self.wrong.append(sentence)

    def put(self, head: Head) -> None:
        """Keep a head; blame one that says another thing than one before."""
        if head.restored:
            self.digests = {sequence: known for sequence, known in self.digests.items() if sequence <= head.sequence}
            self.newest = None
        link = Link(head.sequence, bytes.fromhex(head.digest))
        known = self.digests.setdefault(link.sequence, (link.digest, head.at))
        if self.newest is None or link.sequence > self.newest.sequence:
            self.newest = link
        if known[0] != link.digest:
            self.blame(f"two written heads of link {link.sequence} differ ({known[1]} and {head.at})")
        if head.settled:
            self.settled = max(self.settled, head.sequence)
            self.wrong.clear()


class HeadBook:
    """The heads that were written, wherever they were. `look` reads what has come since; a line is checked once."""

    def __init__(self, key: Ed25519PublicKey, folders: Sequence[Path]) -> None:
        self.key = key
        self.shelves = {folder: Shelf() for folder in folders}
        self.count = 0

    @property
    def wrong(self) -> list[str]:
        """Return what is wrong with the heads themselves, as sentences."""
        return [sentence for shelf in self.shelves.values() for sentence in shelf.wrong]

    @property
    def settled(self) -> int:
        """The link up to which what is wrong was looked into and settled."""
        return max((shelf.settled for shelf in self.shelves.values()), default=0)

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

    def look(self) -> None:
        for folder, shelf in self.shelves.items():
            found = set(folder.glob(FILES))
            for lost in sorted(shelf.read.keys() - found):
                shelf.blame(f"the file of written heads {lost.name} in {folder} is gone")
            for path in sorted(found):
                self._read(path, shelf)

    def _read(self, path: Path, shelf: Shelf) -> None:
        done, size = shelf.read.get(path, 0), path.stat().st_size
        if size < done:
            shelf.blame(f"the file of written heads {path.name} in {path.parent} has become shorter")
        if size <= done:
            return
        with path.open("rb") as file:
            file.seek(done)
            for line in _whole_lines(file.read()):
                self._take(line, path, shelf)
                done += len(line)
        shelf.read[path] = done

    def _take(self, line: bytes, path: Path, shelf: Shelf) -> None:
        try:
            head = read_head(line, self.key)
        except BadHead as error:
            shelf.blame(f"a written head in {path} {error}")
            return
        self.count += 1
        shelf.put(head)


def _whole_lines(text: bytes) -> Iterator[bytes]:
    """A line without its end is being written: it is read the next time."""
    yield from (line for line in text.splitlines(keepends=True) if line.endswith(b"\n"))


def book(public_key: Ed25519PublicKey | None = None, places: Sequence[Path] | None = None) -> HeadBook:
    """Return the heads written so far. Raises signing.KeyMissing."""
    found = HeadBook(public_key or own_key().public_key(), places or folders())
    found.look()
    return found
