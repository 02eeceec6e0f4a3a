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
class HeadBook:
    """The heads that were written, by sequence. `look` reads what has come since; a line is checked once."""

    key: Ed25519PublicKey
    folders: Sequence[Path]
    digests: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    newest: Link | None = None
    count: int = 0
    wrong: list[str] = field(default_factory=list)
    read: dict[Path, int] = field(default_factory=dict)

    def look(self) -> None:
        for folder in self.folders:
            found = set(folder.glob(FILES))
            for lost in sorted(path for path in self.read if path.parent == folder and path not in found):
                self._blame(f"the file of written heads {lost.name} in {folder} is gone")
            for path in sorted(found):
                self._read(path)

    def _read(self, path: Path) -> None:
        done = self.read.get(path, 0)
        size = path.stat().st_size
        if size < done:
            self._blame(f"the file of written heads {path.name} in {path.parent} has become shorter")
        if size <= done:
            return
        with path.open("rb") as file:
            file.seek(done)
            for line in _whole_lines(file.read()):
                self._take(line, path)
                done += len(line)
        self.read[path] = done

    def _take(self, line: bytes, path: Path) -> None:
        try:
            head = read_head(line, self.key)
        except BadHead as error:
            self._blame(f"a written head in {path} {error}")
            return
        self.count += 1
        if head.restored:
            self.digests = {sequence: known for sequence, known in self.digests.items() if sequence <= head.sequence}
            self.newest = None
        digest = bytes.fromhex(head.digest)
        known = self.digests.setdefault(head.sequence, (digest, head.at))
        if known[0] != digest:
            self._blame(f"two written heads of link {head.sequence} differ ({known[1]} and {head.at})")
        if self.newest is None or head.sequence > self.newest.sequence:
            self.newest = Link(head.sequence, digest)

    def _blame(self, sentence: str) -> None:
        if sentence not in self.wrong:
            self.wrong.append(sentence)


def _whole_lines(text: bytes) -> Iterator[bytes]:
    """A line without its end is being written: it is read the next time."""
    yield from (line for line in text.splitlines(keepends=True) if line.endswith(b"\n"))


def book(public_key: Ed25519PublicKey | None = None, places: Sequence[Path] | None = None) -> HeadBook:
    """Return the heads written so far. Raises signing.KeyMissing."""
    found = HeadBook(public_key or own_key().public_key(), list(places or folders()))
    found.look()
    return found


def head_now(link: Link, count: int, at: datetime, restored: str = "") -> Head:
    return Head(at.strftime("%Y-%m-%dT%H:%M:%SZ"), link.sequence, link.digest.hex(), count, restored)
