"""The health of sources, gathered in memory and written once a second: a locked row never holds a post up."""

import logging
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

import psycopg

from apps.ingest.parcels import PreparedPost

log = logging.getLogger(__name__)
WRITE = """
INSERT INTO ingest_sourcehealth AS h
    (source_id, last_message_at, messages, observations, rejects, last_error, last_error_at, clock_offset_ms)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (source_id) DO UPDATE SET
    last_message_at = greatest(h.last_message_at, excluded.last_message_at),
    messages = h.messages + excluded.messages,
    observations = h.observations + excluded.observations,
    rejects = h.rejects + excluded.rejects,
    last_error = CASE WHEN excluded.last_error_at IS NULL THEN h.last_error ELSE excluded.last_error END,
    last_error_at = coalesce(excluded.last_error_at, h.last_error_at),
    clock_offset_ms = coalesce(excluded.clock_offset_ms, h.clock_offset_ms)
"""
INT4 = 2**31 - 1


@dataclass
class Tally:
    """What one source sent since the last writing."""

    last_message_at: datetime | None = None
    messages: int = 0
    observations: int = 0
    rejects: int = 0
    last_error: str = ""
    last_error_at: datetime | None = None
    offsets_ms: deque[int] = field(default_factory=lambda: deque(maxlen=200))

    def add(self, newer: "Tally") -> None:
        """Take in what was gathered while this one could not be written."""
        self.last_message_at = newer.last_message_at or self.last_message_at
        self.messages += newer.messages
        self.observations += newer.observations
        self.rejects += newer.rejects
        if newer.last_error_at:
            self.last_error, self.last_error_at = newer.last_error, newer.last_error_at
        self.offsets_ms.extend(newer.offsets_ms)

    def row(self, source_id: int) -> tuple[Any, ...]:
        offset = round(median(self.offsets_ms)) if self.offsets_ms else None
        if offset is not None:
            offset = max(-INT4, min(INT4, offset))
        return (
            source_id, self.last_message_at, self.messages, self.observations, self.rejects,
            self.last_error[:300].replace("\x00", ""), self.last_error_at, offset,
        )  # fmt: skip


class Healths:
    """Tallies of all sources of one process."""

    def __init__(self) -> None:
        self.tallies: dict[int, Tally] = {}

    def of(self, source_id: int) -> Tally:
        tally = self.tallies.get(source_id)
        if tally is None:
            tally = self.tallies[source_id] = Tally()
        return tally

    def stored(self, post: PreparedPost, *, at: datetime) -> None:
        """Count a post that is durable."""
        tally = self.of(post.source_id)
        tally.last_message_at = at
        tally.messages += 1
        tally.observations += post.accepted
        if post.offset_ms is not None:
            tally.offsets_ms.append(post.offset_ms)
        if post.rejects:
            tally.rejects += len(post.rejects)
            tally.last_error, tally.last_error_at = f"{post.rejects[-1].reason}: {post.rejects[-1].detail}", at

    def refused(self, source_id: int, error: str, *, at: datetime) -> None:
        """Note a post that was turned away."""
        tally = self.of(source_id)
        tally.last_error, tally.last_error_at = error, at

    def taken(self) -> dict[int, Tally]:
        taken, self.tallies = self.tallies, {}
        return taken

    def put_back(self, tallies: dict[int, Tally]) -> None:
        for source_id, tally in tallies.items():
            tally.add(self.tallies.get(source_id, Tally()))
            self.tallies[source_id] = tally

    async def write(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Add the tallies to the rows; what a lock held up is added the next time."""
        tallies = self.taken()
        while tallies:
            source_id, tally = next(iter(tallies.items()))
            try:
                await connection.execute(WRITE, tally.row(source_id), prepare=True)
            except psycopg.errors.ForeignKeyViolation:
                log.info("source %s is gone; its health is dropped", source_id)
            except BaseException:
                self.put_back(tallies)
                raise
            del tallies[source_id]
