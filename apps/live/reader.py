"""What a hub reads from PostgreSQL: on one dedicated connection, in one thread, never in the event loop."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import psycopg
from django.conf import settings
from django.utils.module_loading import import_string
from numpy.typing import NDArray

from apps.accounts.epoch import end_grace
from apps.accounts.instance import InstanceState, NoInstance, state_of
from apps.layers.definition import Layer
from apps.tracks.records import POSITION
from apps.units.layers import introductions, positions_after

log = logging.getLogger(__name__)
Key = tuple[str, int]
STATE = """
    SELECT epoch.epoch, own.kind, own.clock_t0, own.clock_real0, own.clock_speed, own.generation, head.layer, head.agency_id, head.rev
    FROM accounts_instance own JOIN accounts_grantepoch epoch ON epoch.id = 1 LEFT JOIN layers_layerrevision head ON TRUE
    WHERE own.id = 1
"""
TOMBSTONES = "SELECT DISTINCT feature_id FROM layers_tombstone WHERE layer = %s AND agency_id = %s AND rev > %s"
# One row a member and right; a member who may see nothing still has a row, one who may not sign in has none.
RIGHTS = """
    SELECT member.id, member.password, ship.role, given.layer, given.agency_id, given.action
    FROM accounts_member member
    LEFT JOIN accounts_membership ship ON ship.member_id = member.id AND accounts_is_entitled(member.id)
    LEFT JOIN accounts_grant given ON given.role = ship.role AND given.holder_id = ship.agency_id
    WHERE member.id = ANY(%s) AND member.is_active
"""
SESSIONS = "SELECT session_key FROM accounts_membersession WHERE session_key = ANY(%s) AND expire_date > now()"
CONNECT_S = 5


class Away(Exception):
    """PostgreSQL does not answer."""


@dataclass(frozen=True)
class State:
    """Heads, grants' epoch and instance, read in one statement."""

    instance: InstanceState
    epoch: int
    heads: dict[Key, int]

    def is_before(self, applied: dict[Key, int]) -> bool:
        """Say whether the database lacks revisions that were applied before it was read: it is another one than it was (a restored
        backup, a stand-by that had not got all), or a hint told what never was."""
        return any(self.heads.get(key, 0) < rev for key, rev in applied.items())


@dataclass
class Catch:
    """What a replica lacked of one layer of one agency, up to `rev`."""

    rev: int
    positions: NDArray[np.void] = field(default_factory=lambda: np.empty(0, dtype=POSITION))
    introductions: list[dict[str, Any]] = field(default_factory=list)
    features: list[tuple[int, bytes | None]] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)


class Rights(NamedTuple):
    """What a member may do; `password` is the stored hash, whose change ends sessions."""

    password: str
    roles: tuple[str, ...]
    rights: frozenset[tuple[str, int, str]]


def catalog() -> dict[str, Layer]:
    return {layer.name: layer for layer in import_string(settings.LAYER_CATALOG)}


class Reader:
    """Use from one thread at a time. Every method raises Away when PostgreSQL is not there."""

    def __init__(self) -> None:
        self.layers = catalog()
        self._connection: psycopg.Connection[Any] | None = None

    def state(self) -> State:
        """Raises NoInstance when the database is not set up yet."""
        with self._cursor() as cursor:
            return read_state(cursor)

    def end_grace(self) -> None:
        """Let the epoch tell what ended by time since the last look."""
        with self._cursor() as cursor:
            end_grace(cursor)

    def load(self) -> tuple[State, dict[Key, Catch]]:
        """Read everything that is live, in one snapshot."""
        with self._snapshot() as cursor:
            state = read_state(cursor)
            return state, {key: self._catch(cursor, key, 0, rev) for key, rev in state.heads.items() if key[0] in self.layers}

    def catch_up(self, applied: dict[Key, int]) -> dict[Key, Catch]:
        """Read what lies between the applied revisions and the heads, in one snapshot."""
        with self._snapshot() as cursor:
            heads = read_state(cursor).heads
            return {key: self._catch(cursor, key, rev, heads.get(key, 0)) for key, rev in applied.items()}

    def introduce(self, wanted: dict[int, list[int]]) -> dict[int, list[dict[str, Any]]]:
        """Read the introductions of tracks, by agency."""
        with self._cursor() as cursor:
            return {agency: introductions(cursor, agency, after_rev=None, tracks=tracks) for agency, tracks in wanted.items()}

    def rights(self, members: list[int]) -> tuple[int, dict[int, Rights]]:
        """Return an epoch and rights that are not older than it."""
        with self._snapshot() as cursor:
            epoch = read_state(cursor).epoch
            cursor.execute(RIGHTS, [members])
            rows = cursor.fetchall()
        by_member: dict[int, list[Any]] = defaultdict(list)
        for member, *row in rows:
            by_member[member].append(row)
        return epoch, {member: rights_of(own) for member, own in by_member.items()}

    def sessions(self, keys: list[str]) -> set[str]:
        """Return those of the sessions that are still signed in."""
        return {key for (key,) in self.rows(SESSIONS, [keys])}

    def rows(self, query: str, params: list[Any]) -> list[Any]:
        with self._cursor() as cursor:
            cursor.execute(query, params)
            return cursor.fetchall()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _catch(self, cursor: psycopg.Cursor[Any], key: Key, after: int, rev: int) -> Catch:
        name, agency = key
        layer = self.layers[name]
        if layer.changed is not None:
            return Catch(rev, features=[(row.id, row.geojson) for row in layer.changed(cursor, agency, after)])
        cursor.execute(TOMBSTONES, [name, agency, after])
        removed = [row[0] for row in cursor.fetchall()] if after else []
        told = introductions(cursor, agency, after_rev=after or None, tracks=None)
        return Catch(rev, positions_after(cursor, agency, after), told, removed=removed)

    @contextmanager
    def _cursor(self) -> Iterator[psycopg.Cursor[Any]]:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = connect()
            with self._connection.cursor() as cursor:
                yield cursor
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self.close()
            raise Away(str(error)) from error

    @contextmanager
    def _snapshot(self) -> Iterator[psycopg.Cursor[Any]]:
        with self._cursor() as cursor, cursor.connection.transaction():
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield cursor


def rights_of(rows: list[Any]) -> Rights:
    """Build one member's rights from rows of RIGHTS without the member's id."""
    roles = {role for _, role, *_ in rows if role}
    rights = {(layer, agency, action) for _, _, layer, agency, action in rows if layer}
    return Rights(rows[0][0], tuple(sorted(roles)), frozenset(rights))


def connect() -> psycopg.Connection[Any]:
    database: dict[str, Any] = settings.DATABASES["default"]
    return psycopg.connect(
        host=database["HOST"], port=database["PORT"], user=database["USER"], dbname=database["NAME"],
        application_name="rtcc-hub", connect_timeout=CONNECT_S, autocommit=True,
        keepalives=1, keepalives_idle=5, keepalives_interval=5, keepalives_count=3,
    )  # fmt: skip


def read_state(cursor: psycopg.Cursor[Any]) -> State:
    cursor.execute(STATE)
    rows = cursor.fetchall()
    if not rows:
        raise NoInstance("this database is not set up; run ./rtcc up")
    heads = {(layer, agency): rev for *_, layer, agency, rev in rows if layer is not None}
    return State(state_of(rows[0][1:6]), rows[0][0], heads)
