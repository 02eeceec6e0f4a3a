"""Run a batch: one transaction from the take to the revisions, repeated when the world moved, cut when the data is at fault."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import psycopg
from psycopg import errors

from apps.accounts.instance import READ as INSTANCE
from apps.accounts.instance import state_of
from apps.geo.clock import microseconds
from apps.ingest.queue import decoder, encoder
from apps.layers.hints import publish
from apps.pipeline import partitions
from apps.pipeline.batch import Batch, Key
from apps.pipeline.decoding import SourceGone
from apps.pipeline.memory import Cursor, Memory, load_memory
from apps.pipeline.publishing import FencesChanged
from apps.pipeline.stages import STAGES
from apps.pipeline.take import QueueRow, Running, Taker, take_rows
from apps.tracks.making import TracksUnknown

log = logging.getLogger(__name__)
STARTED = f"""
    SELECT own.*, now(), pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_current_xact_id()::text::bigint
    FROM ({INSTANCE}) own
"""
NO_PARTITION = "no partition of relation"
Take = Callable[[Cursor], list[QueueRow]]


class HistoryReplaced(Exception):
    """The database holds another story than the memory: a replay began. Load it and run the batch again."""


class NothingAtFault(Exception):
    """A batch fails though each of its observations passes alone: a bug, not bad data. The process ends and says so."""


class DryRun(Exception):
    """Ends a trial transaction, so that it is rolled back."""


@dataclass
class Runner:
    """Runs batches of one owner on its one dedicated connection."""

    connection: psycopg.Connection[Any]
    memory: Memory
    taker: Taker = field(default_factory=Taker)

    def run(self, shards: list[int]) -> int:
        """Take and process what waits for these held shards; return the number of rows (0: nothing waits)."""
        return self._settle(same_rows(lambda cursor: self.taker.take(cursor, shards)))

    @staticmethod
    def first_index(row: QueueRow) -> int:
        """Return the place in its post of the row's first observation."""
        return next(iter(_indexes(row)), 0)

    def run_observation(self, row: QueueRow, *, set_aside: str | None = None) -> None:
        """Process the first observation of a row alone (or set it aside for a reason), and leave the rest in the queue."""
        parcel = decoder.decode(row.parcel)
        index = parcel.indexes[0]
        alone = row._replace(observations=1, parcel=encoder.encode(type(parcel)([index], parcel.observations[:1])))
        rest = encoder.encode(type(parcel)(parcel.indexes[1:], parcel.observations[1:]))

        def take(cursor: Cursor) -> list[QueueRow]:
            if len(parcel.indexes) == 1:
                return [alone] if take_rows(cursor, [(row.shard, row.id)]) else []
            statement = "UPDATE ingest_inbound SET parcel = %s, count = count - 1 WHERE shard = %s AND id = %s"
            return [alone] if cursor.execute(statement, [rest, row.shard, row.id]).rowcount else []

        self._settle(take, {(row.id, index): set_aside} if set_aside else {})
        self.taker.forget()

    def _settle(self, take: Take, set_aside: dict[Key, str] | None = None) -> int:
        """Repeat until the batch is committed; what moved in the world is read again in between."""
        aside, is_read_anew = dict(set_aside or {}), False
        while True:
            try:
                return self._attempt(take, aside)
            except (FencesChanged, HistoryReplaced):
                self.reload()
            except TracksUnknown:
                if is_read_anew:
                    raise
                is_read_anew = True
                self.reload()
            except SourceGone as gone:
                self._refresh_sources()
                self._leave_out_gone(take, aside, gone)
            except partitions.DaysMissing as missing:
                partitions.make_days(self.connection, missing.days)

    def _attempt(self, take: Take, aside: dict[Key, str]) -> int:
        """Commit the batch; while its data is at fault, find what is and leave that out."""
        while True:
            try:
                return self._commit(take, aside)
            except (errors.DataError, errors.IntegrityError) as error:
                self._find_faulty(take, aside, str(error))

    def _leave_out_gone(self, take: Take, aside: dict[Key, str], gone: SourceGone) -> None:
        """Set aside what came from a source that was deleted since."""
        if gone.source_id not in self.memory.references.sources:
            for key in self._keys(take, aside, source_id=gone.source_id):
                aside[key] = str(gone)

    def _commit(self, take: Take, aside: dict[Key, str]) -> int:
        mark = self.memory.tracks.count
        try:
            with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
                batch = self._batch(cursor, take(cursor), aside)
                if not batch.rows:
                    return 0
                for stage in STAGES:
                    stage(batch)
        except BaseException:
            self.memory.tracks.forget_from(mark)
            raise
        self._after_commit(batch)
        return len(batch.rows)

    def _batch(self, cursor: Cursor, rows: list[QueueRow], aside: dict[Key, str], only: frozenset[Key] | None = None) -> Batch:
        """Once rows are deleted nothing can empty the history before our commit: TRUNCATE of the queue waits for us."""
        if not rows:
            return Batch(cursor, self.memory, [], 0)
        started = cursor.execute(STARTED).fetchone()
        if started is None:
            raise HistoryReplaced
        *own, now, oldest, number = started
        instance = state_of(tuple(own))
        if instance.generation != self.memory.instance.generation:
            raise HistoryReplaced
        self.memory.instance = instance
        return Batch(cursor, self.memory, rows, microseconds(instance.clock.at(now)), aside, only, Running(oldest, number))

    def _after_commit(self, batch: Batch) -> None:
        for remember in batch.remember:
            remember()
        self.taker.settle(batch.rows, running=batch.running)
        if batch.changes:
            publish(batch.changes, batch.lag())

    def _find_faulty(self, take: Take, aside: dict[Key, str], reason: str) -> None:
        """Bisect the batch in transactions that are rolled back, until the observations at fault stand alone."""
        keys = self._keys(take, aside)
        faulty = self._faulty_among(take, aside, keys)
        if not faulty:
            raise NothingAtFault(reason)
        for key in faulty:
            log.warning("set aside observation %s of queue row %s; what is kept of it says why", key[1], key[0])
            aside[key] = reason

    def _keys(self, take: Take, aside: dict[Key, str], *, source_id: int | None = None) -> list[Key]:
        """Return the observations of the rows that a take gives (of one source's rows)."""
        keys: list[Key] = []

        def collect(cursor: Cursor) -> None:
            for row in take(cursor):
                if source_id in (None, row.source_id):
                    keys.extend((row.id, index) for index in _indexes(row) if (row.id, index) not in aside)

        self._trial(collect)
        return keys

    def _faulty_among(self, take: Take, aside: dict[Key, str], keys: list[Key]) -> list[Key]:
        if not keys or self._passes(take, aside, frozenset(keys)):
            return []
        if len(keys) == 1:
            return keys
        half = len(keys) // 2
        return self._faulty_among(take, aside, keys[:half]) + self._faulty_among(take, aside, keys[half:])

    def _passes(self, take: Take, aside: dict[Key, str], only: frozenset[Key]) -> bool:
        def run(cursor: Cursor) -> None:
            batch = self._batch(cursor, take(cursor), aside, only)
            for stage in STAGES:
                stage(batch)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

        try:
            self._trial(run)
        except (errors.DataError, errors.IntegrityError) as error:
            if NO_PARTITION not in str(error):
                return False
            partitions.known.clear()
            return self._passes(take, aside, only)
        return True

    def _trial(self, run: Callable[[Cursor], None]) -> None:
        mark = self.memory.tracks.count
        try:
            with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
                run(cursor)
                raise DryRun
        except DryRun:
            self.memory.tracks.forget_from(mark)
        except BaseException:
            self.memory.tracks.forget_from(mark)
            raise

    def reload(self) -> None:
        """Read the memory of the held shards anew."""
        with self.connection.transaction(), self.connection.cursor() as cursor:
            self.memory = load_memory(cursor, self.memory.shards)

    def _refresh_sources(self) -> None:
        with self.connection.transaction(), self.connection.cursor() as cursor:
            self.memory.references.refresh(cursor, self.memory.instance)


def same_rows(take: Take) -> Take:
    """Return a take that gives the same rows each time: bounds that it learns must not move a faulty row out of sight."""
    chosen: list[tuple[int, int]] | None = None

    def again(cursor: Cursor) -> list[QueueRow]:
        nonlocal chosen
        rows = take(cursor) if chosen is None else take_rows(cursor, chosen)
        chosen = [(row.shard, row.id) for row in rows]
        return rows

    return again


def _indexes(row: QueueRow) -> list[int]:
    try:
        return decoder.decode(row.parcel).indexes
    except msgspec.DecodeError:
        return []
