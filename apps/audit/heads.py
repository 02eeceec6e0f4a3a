"""The chain's head, signed and written off the database: one line of JSON a minute, one file a month. What was written there before
cannot be unwritten in the database."""

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from apps.audit.chain import Link
from apps.audit.signing import make_key, read_key

log = logging.getLogger(__name__)
FOLDER = "audit-heads"
FILES = "heads-*.jsonl"
OPTIONAL = ("restored", "settled", "found")


@dataclass(frozen=True)
class Head:
    """`at`: ISO time. `restored`: the database was put back to this link on purpose, and later ones that were written are void.
    `settled`: what was wrong was looked into, and why that is the end of it; `found`: the marks of exactly that."""

    at: str
    sequence: int
    digest: str
    count: int = 0
    restored: str = ""
    settled: str = ""
    found: Sequence[str] = ()

    def text(self) -> bytes:
        """Return the bytes that are signed."""
        facts = {name: value for name, value in vars(self).items() if value or name not in OPTIONAL}
        return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()

    def line(self, key: Ed25519PrivateKey) -> bytes:
        signature = key.sign(self.text()).hex().encode()
        return self.text()[:-1] + b',"signature":"' + signature + b'"}\n'


def first_later(moment: str) -> int | None:
    """Return the first link that no folder has a head of from that time or before; None when there is none. Reads no more of the files
    than it needs, and leaves signatures to whoever checks the audit."""
    places = [files for folder in folders() if (files := sorted(folder.glob(FILES)))]
    found = [_first_later(files, moment) for files in places]
    return None if None in found else max((link for link in found if link is not None), default=None)


def _first_later(files: Sequence[Path], moment: str) -> int | None:
    earlier = [file for file in files if file.name < f"heads-{moment[:7]}.jsonl"]
    reached = 0
    for line in (line for file in files[max(0, len(earlier) - 1) :] for line in file.read_bytes().splitlines()):
        at, sequence, is_restored = _told(line)
        reached = min(reached, sequence) if is_restored else reached
        if sequence > reached and at > moment:
            return sequence
        reached = max(reached, sequence)
    return None


def _told(line: bytes) -> tuple[str, int, bool]:
    """Return a line's time, link and whether it says that the database was put back; nothing of a line that is none."""
    try:
        facts = json.loads(line)
        return str(facts["at"]), int(facts["sequence"]), "restored" in facts
    except (ValueError, TypeError, KeyError):
        return "", 0, False


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


def moment(at: datetime) -> str:
    """Return a time in UTC as heads have it: in the order of time they are in the order of letters."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def head_now(link: Link, count: int, at: datetime, *, restored: str = "", settled: str = "", found: Sequence[str] = ()) -> Head:
    return Head(moment(at), link.sequence, link.digest.hex(), count, restored, settled, found)
