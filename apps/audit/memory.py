"""What the keeper knows of the chain's end beside the database: in the process across connections, in the state folder across starts."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from apps.audit.chain import GENESIS, Link
from apps.audit.head_book import BadHead, HeadBook, read_head
from apps.audit.heads import Head, moment

FILE = "audit-known.json"


@dataclass
class Memory:
    """`known`: the newest link that was sealed, and when that was (as heads have it). Whoever deletes the newest entries ends the
    connection first, and hopes that who connects again knows of nothing."""

    book: HeadBook | None = None
    known: Link = GENESIS
    at: str = ""
    written: Link = GENESIS

    def keep(self, link: Link, at: datetime) -> None:
        if link != self.known:
            self.known, self.at = link, moment(at)

    def write(self, key: Ed25519PrivateKey) -> None:
        """Put what is new into the state folder: one head, signed as all are, that replaces the one before. Whole or not at all."""
        if self.written == self.known:
            return
        file = Path(settings.STATE_FOLDER) / FILE
        half = file.with_suffix(f".{os.getpid()}")
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, Head(self.at, self.known.sequence, self.known.digest.hex()).line(key))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        half.replace(file)
        self.written = self.known

    def recall(self, key: Ed25519PublicKey) -> str:
        """Take up what the state folder holds, if it is newer. Return what is wrong with it, as a sentence; empty when nothing is."""
        file = Path(settings.STATE_FOLDER) / FILE
        if not file.exists():
            return ""
        try:
            head = read_head(file.read_bytes(), key)
        except BadHead as error:
            return f"the chain's last known end in {file} {error}"
        if head.sequence > self.known.sequence:
            self.known, self.at = Link(head.sequence, bytes.fromhex(head.digest)), head.at
        return ""

    def forget_before(self, restored_at: str) -> None:
        """The database was put back on purpose: what was known until then is void."""
        if self.at <= restored_at:
            self.known, self.at = GENESIS, ""
