"""One batch: the rows taken, what the stages make of them, and what is to be remembered after COMMIT."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from apps.incidents.reading import CallReader, Statement
from apps.ingest.queue import Observation
from apps.layers.hints import LayerChange
from apps.pipeline.memory import Memory
from apps.pipeline.take import NONE_RUNS, QueueRow, Running
from apps.pipeline.tracks import Description
from apps.tracks.arrays import FixArrays
from apps.tracks.observations import Fix

Key = tuple[int, int]
"""A queue row's id and an observation's place in its post."""


@dataclass
class Outcome:
    """What became of an observation that was not plainly stored. Set aside ones and conflicts are kept as rejects too."""

    row: QueueRow
    index: int
    outcome: str
    detail: str
    kept: Observation | None = None


@dataclass
class Batch:
    cursor: psycopg.Cursor[Any]
    memory: Memory
    rows: list[QueueRow]
    recorded_us: int
    set_aside: dict[Key, str] = field(default_factory=dict)
    only: frozenset[Key] | None = None
    running: Running = NONE_RUNS

    said: list[Fix] = field(default_factory=list)
    fix_row: list[int] = field(default_factory=list)
    fix_index: list[int] = field(default_factory=list)
    fixes: FixArrays | None = None
    newer: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    statements: list[tuple[QueueRow, int, Statement]] = field(default_factory=list)
    calls: CallReader | None = None
    fresh: set[int] = field(default_factory=set)
    described: dict[int, Description] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    changes: list[LayerChange] = field(default_factory=list)
    remember: list[Callable[[], object]] = field(default_factory=list)

    def renamed(self) -> list[int]:
        """Return the slots of devices that hubs know by another description. A new one is introduced with its first
        position."""
        return [slot for slot in self.described if slot not in self.fresh]

    def wants(self, row: QueueRow, index: int) -> bool:
        """Whether the stages are to see this observation (a search for a faulty one runs on parts of a batch)."""
        key = (row.id, index)
        return key not in self.set_aside and (self.only is None or key in self.only)

    def newest_places(self) -> NDArray[np.intp]:
        """Return the place of the newest fix of each track that has a newer one than before."""
        fixes = self.fixes
        places = np.flatnonzero(self.newer)
        if fixes is None or not len(places):
            return places
        _, last = np.unique(fixes.slot[places][::-1], return_index=True)
        return places[len(places) - 1 - last]

    def lag(self) -> list[tuple[int, int]]:
        """Return for each row when it was queued (real time, microseconds since 1970) and its observations."""
        return [(row.queued_us, row.observations) for row in self.rows]
