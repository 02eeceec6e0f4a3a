"""The chain's head, signed and written off the database: one line of JSON a minute, one file a month. What was written there before
cannot be unwritten in the database."""

import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from apps.audit.chain import Link
from apps.audit.signing import is_signed, make_key, read_key

log = logging.getLogger(__name__)
FOLDER = "audit-heads"
FILES = "heads-*.jsonl"


class BadHead(ValueError):
    """A line of the written heads is not one, or its signature does not fit."""


@dataclass(frozen=True)
class Head:
    """`at`: ISO time. `restored`: the database was put back to this link on purpose, and later ones that were written are void."""

    at: str
    sequence: int
    digest: str
    count: int = 0
    restored: str = ""

    def text(self) -> bytes:
        """Return the bytes that are signed."""
        facts = {name: value for name, value in vars(self).items() if value != "" or name != "restored"}
        return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()

    def line(self, key: Ed25519PrivateKey) -> bytes:
        signature = key.sign(self.text()).hex().encode()
        return self.text()[:-1] + b',"signature":"' + signature + b'"}\n'


def folders() -> list[Path]:
    """Return where heads are written: the state folder, and the write-once place that the environment names."""
    second = settings.AUDIT_HEADS
    return [Path(settings.STATE_FOLDER) / FOLDER, *([Path(second)] if second else [])]


def own_key() -> Ed25519PrivateKey:
    """Return the signing key, made at the first start. Raises signing.KeyMissing when heads exist and it does not."""
    state = Path(settings.STATE_FOLDER)
    if any(next(folder.glob(FILES), None) for folder in folders()):
        return read_key(state)
    return make_key(state)


def write(head: Head, key: Ed25519PrivateKey) -> list[str]:
    """Append the head to this month's file in each folder, on disk when it returns. Return what went wrong, as sentences."""
    wrong = []
    for folder in folders():
        try:
            _append(folder, f"heads-{head.at[:7]}.jsonl", head.line(key))
        except OSError as error:
            wrong.append(f"the chain's head could not be written to {folder}: {error.strerror}")
            log.error(wrong[-1])
    return wrong


def _append(folder: Path, name: str, line: bytes) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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

    def put(self, head: Head) -> str:
        """Keep a head; return what is wrong with it, as a sentence."""
        if head.restored:
            self.digests = {sequence: known for sequence, known in self.digests.items() if sequence <= head.sequence}
            self.newest = None
        link = Link(head.sequence, bytes.fromhex(head.digest))
        known = self.digests.setdefault(link.sequence, (link.digest, head.at))
        if self.newest is None or link.sequence > self.newest.sequence:
            self.newest = link
        return "" if known[0] == link.digest else f"two written heads of link {link.sequence} differ ({known[1]} and {head.at})"


class HeadBook:
    """The heads that were written, wherever they were. `look` reads what has come since; a line is checked once."""

    def __init__(self, key: Ed25519PublicKey, folders: Sequence[Path]) -> None:
        self.key = key
        self.shelves = {folder: Shelf() for folder in folders}
        self.count = 0
        self.wrong: list[str] = []

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
                self._blame(f"the file of written heads {lost.name} in {folder} is gone")
            for path in sorted(found):
                self._read(path, shelf)

    def _read(self, path: Path, shelf: Shelf) -> None:
        done, size = shelf.read.get(path, 0), path.stat().st_size
        if size < done:
            self._blame(f"the file of written heads {path.name} in {path.parent} has become shorter")
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
            self._blame(f"a written head in {path} {error}")
            return
        self.count += 1
        if wrong := shelf.put(head):
            self._blame(wrong)

    def _blame(self, sentence: str) -> None:
        if sentence not in self.wrong:
            self.wrong.append(sentence)


def _whole_lines(text: bytes) -> Iterator[bytes]:
    """A line without its end is being written: it is read the next time."""
    yield from (line for line in text.splitlines(keepends=True) if line.endswith(b"\n"))


def book(public_key: Ed25519PublicKey | None = None, places: Sequence[Path] | None = None) -> HeadBook:
    """Return the heads written so far. Raises signing.KeyMissing."""
    found = HeadBook(public_key or own_key().public_key(), places or folders())
    found.look()
    return found


def head_now(link: Link, count: int, at: datetime, restored: str = "") -> Head:
    return Head(at.strftime("%Y-%m-%dT%H:%M:%SZ"), link.sequence, link.digest.hex(), count, restored)
