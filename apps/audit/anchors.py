"""What a purge leaves of the links that it removed: the last of them, signed, from which the rest still verifies."""

from datetime import datetime
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from apps.audit.chain import ANCHOR, Link
from apps.audit.signing import is_signed


def text_of(link: Link, removed: int, at: datetime) -> bytes:
    """Return the bytes of an anchor that are signed."""
    return f"anchor {link.sequence} {link.digest.hex()} {removed} {round(at.timestamp() * 1_000_000)}".encode()


def is_genuine(cursor: psycopg.Cursor[Any], key: Ed25519PublicKey) -> bool:
    """Say whether the newest anchor was signed with this instance's key."""
    row = cursor.execute(ANCHOR).fetchone()
    if row is None:
        return False
    sequence, digest, removed, at, signature = row
    return is_signed(key, bytes(signature), text_of(Link(sequence, bytes(digest)), removed, at))
