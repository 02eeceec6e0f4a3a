"""A database whose audit commits, and an owner who may do anything to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg import sql
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from apps.audit.chain import GENESIS, Connection, Link, copied, digest_of
from apps.audit.connecting import own_connection
from apps.audit.following import LAST, LINKS
from apps.audit.sealing import seal
from tests.running import migrated_database, orm_on

TABLES = ("audit_entry", "audit_seal", "audit_anchor", "audit_review")
ADD = "INSERT INTO audit_entry (act, member_name, road, target, reason, detail) VALUES (%s, %s, 'page', %s, '', '{\"n\": 1}') RETURNING id"


@pytest.fixture(scope="session")
def audit_database(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with migrated_database("audit") as name:
        yield name


@pytest.fixture
def state(tmp_path: Path, settings: Settings) -> Path:
    settings.STATE_FOLDER = tmp_path
    settings.AUDIT_HEADS = None
    return tmp_path


@pytest.fixture
def chain(audit_database: str, state: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Connection]:
    """A connection of the owner to a database with an empty audit."""
    with django_db_blocker.unblock(), orm_on(audit_database), own_connection() as connection:
        with as_owner(connection):
            connection.execute(f"TRUNCATE {', '.join(TABLES)}, audit_unsealed, audit_chainstate, audit_refusal")  # type: ignore[call-overload]
        yield connection


@contextmanager
def as_owner(connection: Connection) -> Iterator[Connection]:
    """Switch the net in the database off, as only its owner can."""
    for word in ("DISABLE", "ENABLE"):
        for table in TABLES:
            connection.execute(sql.SQL(f"ALTER TABLE {{}} {word} TRIGGER USER").format(sql.Identifier(table)))
        if word == "DISABLE":
            yield connection


def add(connection: Connection, count: int = 1, act: str = "grant_given") -> list[int]:
    rows = [connection.execute(ADD, [act, "dana", f"grant:{n}\t\\x"]).fetchone() for n in range(count)]
    return [row[0] for row in rows if row]


def sealed(connection: Connection, count: int) -> Link:
    """Write entries and seal them."""
    add(connection, count)
    return seal(connection, GENESIS)[0]


def rewrite(connection: Connection) -> None:
    """Do as the owner what a careful forger does: change an entry and seal all anew from there."""
    connection.execute("UPDATE audit_entry SET act = 'nothing' WHERE id = (SELECT entry_id FROM audit_seal WHERE sequence = 4)")
    link = GENESIS
    with connection.cursor() as cursor:
        lines = [row.split(b"\t", 3)[3] for row in copied(cursor, LINKS.format(after=0, upto=LAST))]
    for line in lines:
        link = Link(link.sequence + 1, digest_of(link.digest, line))
        connection.execute("UPDATE audit_seal SET digest = %s WHERE sequence = %s", [link.digest, link.sequence])
