"""Rows into the queue as the front door writes them, batches as an owner runs them, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from apps.geo.clock import microseconds
from apps.geo.shards import SHARDS, shard_of
from apps.incidents.observations import BoardPoll, CallReport
from apps.ingest.queue import Observation, Parcel, encoder
from apps.pipeline.memory import load_memory
from apps.pipeline.owner import connect
from apps.pipeline.running import Runner
from apps.tracks import history
from apps.tracks.observations import Fix

QUEUE = """
    INSERT INTO ingest_inbound (shard, source_id, post_id, received_us, count, parcel) VALUES (%s, %s, %s, %s, %s, %s)
"""
START_US = microseconds(datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1))
SECOND_US = 1_000_000
ALL = list(range(SHARDS))


def fix(identity: str, second: float, lon: float = -95.36, lat: float = 29.76, **facts: Any) -> Fix:
    """`second` counts from noon of yesterday."""
    return Fix(identity, START_US + round(second * SECOND_US), lon, lat, **facts)


def call(number: str, sequence: int, state: str = "waiting", **facts: Any) -> CallReport:
    return CallReport(number, sequence, START_US + sequence * SECOND_US, state, **facts)


def cut(source_id: int, observations: Sequence[Observation]) -> dict[int, Parcel]:
    parcels: dict[int, Parcel] = {}
    for index, said in enumerate(observations):
        shard = said.shard if isinstance(said, BoardPoll) else shard_of(f"{source_id}:{said.identity}")
        parcel = parcels.setdefault(shard, Parcel([], []))
        parcel.indexes.append(index)
        parcel.observations.append(said)
    return parcels


def prepared(name: str = "test pipeline") -> "psycopg.Connection[Any]":
    connection = connect(name)
    with connection.cursor() as cursor:
        history.prepare(cursor)
    return connection


def new_runner(shards: list[int] = ALL) -> Runner:
    connection = prepared()
    with connection.cursor() as cursor:
        return Runner(connection, load_memory(cursor, shards))


@dataclass
class Feed:
    """A source and a runner of all shards."""

    source_id: int
    runner: Runner
    posts: list[UUID] = field(default_factory=list)

    @property
    def connection(self) -> "psycopg.Connection[Any]":
        return self.runner.connection

    def put(self, *observations: Observation, over: "psycopg.Connection[Any] | None" = None, source_id: int | None = None) -> UUID:
        """Queue one post; return its receipt. `over`: a connection whose transaction commits when it likes."""
        post, source = uuid4(), source_id or self.source_id
        for shard, parcel in cut(source, observations).items():
            values = [shard, source, post, START_US, len(parcel.indexes), encoder.encode(parcel)]
            (over or self.connection).execute(QUEUE, values)
        self.posts.append(post)
        return post

    def run(self) -> int:
        """Run batches until nothing waits; return the number of rows."""
        done = 0
        while rows := self.runner.run(ALL):
            done += rows
        return done

    def send(self, *observations: Observation) -> UUID:
        post = self.put(*observations)
        self.run()
        return post

    def rows(self, query: str, *params: Any) -> list[Any]:
        return self.connection.execute(query, params).fetchall()

    def outcomes(self, post: UUID) -> dict[int, str]:
        return dict(self.rows("SELECT index, outcome FROM ingest_outcome WHERE post_id = %s", post))

    def stored(self, prefix: str = "") -> list[Any]:
        """Return (identity, second, lon, lat) of all fixes, in order."""
        return self.rows(
            """SELECT substr(t.identity, length(%s) + 1), extract(epoch FROM f.observed_at)::float8 - %s, ST_X(f.geom), ST_Y(f.geom)
            FROM tracks_fix f JOIN tracks_track t ON t.id = f.track_id WHERE t.identity LIKE %s ORDER BY 1, 2""",
            prefix, START_US / 1e6, f"{prefix}%",
        )  # fmt: skip

    def latest(self, prefix: str = "") -> list[Any]:
        return self.rows(
            """SELECT substr(t.identity, length(%s) + 1), extract(epoch FROM p.observed_at)::float8 - %s, ST_X(p.geom), ST_Y(p.geom)
            FROM tracks_position p JOIN tracks_track t ON t.id = p.track_id WHERE t.identity LIKE %s ORDER BY 1""",
            prefix, START_US / 1e6, f"{prefix}%",
        )  # fmt: skip

    def transitions(self, prefix: str = "") -> list[Any]:
        """Return (identity, fence, kind, second of entry, second) in order."""
        return self.rows(
            """SELECT substr(t.identity, length(%s) + 1), f.name, x.kind, extract(epoch FROM x.entered_at)::float8 - %s,
            extract(epoch FROM x.observed_at)::float8 - %s
            FROM geofences_transition x JOIN tracks_track t ON t.id = x.track_id JOIN geofences_fence f ON f.id = x.fence_id
            WHERE t.identity LIKE %s ORDER BY 5, 1, 2, 3""",
            prefix, START_US / 1e6, START_US / 1e6, f"{prefix}%",
        )  # fmt: skip

    def present(self, prefix: str = "") -> list[Any]:
        return self.rows(
            """SELECT substr(t.identity, length(%s) + 1), f.name, extract(epoch FROM p.entered_at)::float8 - %s
            FROM geofences_presence p JOIN tracks_track t ON t.id = p.track_id JOIN geofences_fence f ON f.id = p.fence_id
            WHERE t.identity LIKE %s ORDER BY 1, 2""",
            prefix, START_US / 1e6, f"{prefix}%",
        )  # fmt: skip

    def calls(self) -> dict[str, str]:
        return dict(self.rows("SELECT number, state FROM incidents_call ORDER BY 1"))

    def revisions(self, number: str) -> list[Any]:
        query = "SELECT r.sequence, r.state FROM incidents_callrevision r JOIN incidents_call c ON c.id = r.call_id"
        return self.rows(f"{query} WHERE c.number = %s ORDER BY 1", number)
