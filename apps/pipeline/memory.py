"""All that an owner of shards keeps in memory: loaded when a shard is won, changed only after COMMIT."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import psycopg

from apps.accounts.instance import READ as INSTANCE
from apps.accounts.instance import InstanceState, NoInstance, state_of
from apps.boundaries.tagger import BoundaryIndex
from apps.geofences.fence_index import FenceIndex, load_fence_index
from apps.geofences.history import load_presence
from apps.geofences.presence import Stays, key_of
from apps.pipeline.tracks import TrackMemory, load_tracks

SOURCES = "SELECT id, agency_id, origin, adapter, slug, interval_s FROM ingest_source"
STATUSES = "SELECT agency_id, code, number FROM accounts_statuscode"
RANKS = "SELECT agency_id, code, rank FROM accounts_prioritycode"
BOUNDARY_HEADS = "SELECT agency_id, rev FROM layers_layerrevision WHERE layer = 'boundaries' ORDER BY agency_id"
AGENCIES = "SELECT id FROM accounts_agency"
BOARD_ADAPTERS = {"arcgis"}
Cursor = psycopg.Cursor[Any]


class SourceInfo(NamedTuple):
    agency_id: int
    origin: str
    board: bool
    slug: str
    interval_s: float


@dataclass
class References:
    """Small tables that people change: sources, the agencies' codes, boundaries. Read again every second."""

    sources: dict[int, SourceInfo] = field(default_factory=dict)
    statuses: dict[int, dict[str, int]] = field(default_factory=dict)
    ranks: dict[int, dict[str, int]] = field(default_factory=dict)
    boundary_version: tuple[list[tuple[int, int]], date] | None = None
    boundaries: BoundaryIndex | None = None

    def refresh(self, cursor: Cursor, instance: InstanceState) -> None:
        rows = cursor.execute(SOURCES).fetchall()
        self.sources = {
            id: SourceInfo(agency, origin, adapter in BOARD_ADAPTERS, slug, interval_s)
            for id, agency, origin, adapter, slug, interval_s in rows
        }
        self.statuses, self.ranks = {}, {}
        for agency, code, number in cursor.execute(STATUSES).fetchall():
            self.statuses.setdefault(agency, {})[code] = number
        for agency, code, rank in cursor.execute(RANKS).fetchall():
            self.ranks.setdefault(agency, {})[code] = rank
        now = instance.clock.now()
        version = (cursor.execute(BOUNDARY_HEADS).fetchall(), now.date())
        if version != self.boundary_version:
            agencies = [row[0] for row in cursor.execute(AGENCIES).fetchall()]
            self.boundary_version, self.boundaries = version, BoundaryIndex.load(cursor, agencies, at=now)


@dataclass
class Memory:
    shards: list[int]
    instance: InstanceState
    tracks: TrackMemory
    stays: Stays
    fences: FenceIndex
    references: References


def read_instance(cursor: Cursor) -> InstanceState:
    """Raises NoInstance."""
    row = cursor.execute(INSTANCE).fetchone()
    if row is None:
        raise NoInstance("this database is not set up; run ./rtcc up")
    return state_of(row)


def load_memory(cursor: Cursor, shards: list[int]) -> Memory:
    instance = read_instance(cursor)
    references = References()
    references.refresh(cursor, instance)
    fences, tracks = load_fence_index(cursor), load_tracks(cursor, shards)
    return Memory(shards, instance, tracks, load_stays(cursor, tracks, shards), fences, references)


def load_stays(cursor: Cursor, tracks: TrackMemory, shards: list[int]) -> Stays:
    rows = load_presence(cursor, shards)
    slot_of = {track: slot for slot, track in enumerate(tracks.track_id[: tracks.count].tolist())}
    slots = np.array([slot_of[track] for track, _, _ in rows], np.int64)
    fences, entered_us = (np.array([row[place] for row in rows], np.int64) for place in (1, 2))
    return Stays.of(key_of(slots, fences), entered_us)
