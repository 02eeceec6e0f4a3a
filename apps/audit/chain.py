"""The chain: how an entry becomes a line, and a line a link."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import psycopg

# An entry as PostgreSQL's COPY writes it: tab between values, backslashes before what would be mistaken, \N for none. A column that
# is added one day goes to the end, and only where it is not null, so that the digests of before hold.
COLUMNS = """entry.id, (extract(epoch FROM entry.written_at) * 1000000)::bigint, entry.act, entry.member_id, entry.member_name,
    entry.agency_id, entry.road, entry.address::text, entry.target, entry.count, entry.reason, entry.detail::text"""
LAST = "SELECT sequence, digest FROM audit_seal ORDER BY sequence DESC LIMIT 1"
ANCHOR = "SELECT sequence, digest, removed, at, signature FROM audit_anchor ORDER BY sequence DESC LIMIT 1"
DIGEST_AT = "SELECT digest FROM audit_seal WHERE sequence = %s"

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Link:
    """The place of a seal in the chain and its digest (32 bytes)."""

    sequence: int
    digest: bytes


GENESIS = Link(0, sha256(b"RTCC Geo audit chain, form 1").digest())


def digest_of(before: bytes, line: bytes) -> bytes:
    """Return the digest of the link that follows `before`. `line`: the canonical line without its end."""
    return sha256(before + line).digest()


def copied(cursor: psycopg.Cursor[Any], query: str) -> Iterator[bytes]:
    """Yield the rows of a query of ours as COPY writes them, without the ends of lines."""
    with cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
        for row in copy:
            yield bytes(row)[:-1]


def beginning(cursor: psycopg.Cursor[Any]) -> Link:
    """Return the link before the first that the database holds."""
    row = cursor.execute(ANCHOR).fetchone()
    return Link(row[0], bytes(row[1])) if row else GENESIS


def last_link(cursor: psycopg.Cursor[Any]) -> Link:
    """Return the newest link of the database."""
    row = cursor.execute(LAST).fetchone()
    return Link(row[0], bytes(row[1])) if row else beginning(cursor)


def digest_at(cursor: Any, sequence: int) -> bytes | None:
    """Return the digest of a link; None when there is no such link. Takes Django's cursor and psycopg's alike."""
    cursor.execute(DIGEST_AT, [sequence])
    row = cursor.fetchone()
    return bytes(row[0]) if row else None
