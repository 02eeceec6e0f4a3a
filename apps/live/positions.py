"""What moves, in memory: one slot a track, arrays by slot. A slot is the handle on the wire and is never given to another track."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from apps.live.frames import CLOCK_OFF, HEADING_KNOWN, LONGEST_AGE_MS, RECORD, SPEED_KNOWN, blob, heading_byte, speed_byte
from apps.live.tiles import AGENCY_SHIFT, all_key, tile_keys
from apps.tracks.records import CLOCK_OFF as SOURCE_CLOCK_OFF

Slots = NDArray[np.int64]
NOWHERE = 0
NO_SLOTS: Slots = np.empty(0, dtype=np.int64)


class Whole(NamedTuple):
    """All that a tile has, and its blob."""

    slots: Slots
    blob: bytes


@dataclass
class Movement:
    """What changed since the last tick: slots that have news, slots that came into a tile, and the tiles that others left."""

    news: list[Slots] = field(default_factory=list)
    arrived: list[Slots] = field(default_factory=list)
    left: list[tuple[Slots, NDArray[np.int64]]] = field(default_factory=list)
    removed_from: set[int] = field(default_factory=set)
    renamed: list[int] = field(default_factory=list)


def newest(records: NDArray[np.void]) -> NDArray[np.void]:
    """Keep the last record of each track."""
    _, last = np.unique(records["track"][::-1], return_index=True)
    return records if len(last) == len(records) else records[np.sort(len(records) - 1 - last)]


class Positions:
    """Latest positions of all agencies. A slot is drawn once it has both a position and an introduction."""

    def __init__(self, capacity: int = 1024) -> None:
        self.slot_of: dict[int, int] = {}
        self.names: list[bytes | None] = []
        self.members: dict[int, set[int]] = defaultdict(set)
        self.unnamed: dict[int, int] = {}
        self.movement = Movement()
        self.wire = np.zeros(capacity, dtype=RECORD)
        self.observed_ms = np.zeros(capacity, dtype=np.float64)
        self.key = np.zeros(capacity, dtype=np.int64)
        self.drawn = np.zeros(capacity, dtype=bool)

    @property
    def capacity(self) -> int:
        return len(self.wire)

    def apply(self, agency_id: int, records: NDArray[np.void]) -> None:
        """Take new positions (tracks.records.POSITION) of an agency."""
        if not len(records):
            return
        records = newest(records)
        slots = self._slots(agency_id, records["track"].tolist())
        keys = tile_keys(agency_id, records["lon"], records["lat"])
        before = self.key[slots]
        self._write(slots, records)
        self.key[slots] = keys
        self._unveil(slots[before == NOWHERE])
        self._cross(slots, before, keys)
        self.movement.news.append(slots[self.drawn[slots]])

    def introduce(self, agency_id: int, rows: list[dict[str, Any]]) -> None:
        """Take what a client must know of tracks; what is told already is told again."""
        slots = self._slots(agency_id, [row["id"] for row in rows])
        renamed = [slot for slot in slots.tolist() if self.names[slot] is not None]
        for slot, row in zip(slots.tolist(), rows, strict=True):
            self.names[slot] = orjson.dumps({**row, "handle": slot})
            self.unnamed.pop(row["id"], None)
        self._unveil(slots[(self.key[slots] != NOWHERE) & ~self.drawn[slots]])
        drawn = slots[self.drawn[slots]]
        self.movement.arrived.append(drawn)
        self.movement.news.append(drawn)
        if renamed:
            self.movement.renamed += renamed

    def remove(self, tracks: list[int]) -> None:
        """Forget tracks; the tiles that lose one are told whole."""
        for track in tracks:
            slot = self.slot_of.pop(track, None)
            self.unnamed.pop(track, None)
            if slot is None:
                continue
            key = int(self.key[slot])
            self.members[key].discard(slot)
            self.movement.removed_from.update((key, all_key(key >> AGENCY_SHIFT)))
            self.drawn[slot], self.key[slot], self.names[slot] = False, NOWHERE, None

    def take_movement(self) -> Movement:
        movement, self.movement = self.movement, Movement()
        return movement

    def encode(self, slots: Slots, now_ms: float) -> bytes:
        records = self.wire[slots]
        records["age_ms"] = np.clip(now_ms - self.observed_ms[slots], 0, LONGEST_AGE_MS)
        return records.tobytes()

    def slots_in(self, key: int) -> Slots:
        """Return what is drawn in a tile, ascending for the pseudo tile."""
        if key < 0:
            return np.flatnonzero(self.drawn & (self.key >> AGENCY_SHIFT == -key))
        slots = self.members.get(key)
        return np.fromiter(slots, np.int64, len(slots)) if slots else NO_SLOTS

    def whole(self, key: int, now_ms: float) -> "Whole":
        slots = self.slots_in(key)
        return Whole(slots, blob(key, self.encode(slots, now_ms), whole=True))

    def count(self, agency_id: int) -> int:
        return int(np.count_nonzero(self.drawn & (self.key >> AGENCY_SHIFT == agency_id)))

    def _slots(self, agency_id: int, tracks: list[int]) -> Slots:
        get = self.slot_of.get
        slots = [get(track, -1) for track in tracks]
        if -1 in slots:
            slots = [self._allocate(agency_id, track) for track in tracks]
        return np.array(slots, dtype=np.int64)

    def _allocate(self, agency_id: int, track: int) -> int:
        slot = self.slot_of.get(track)
        if slot is not None:
            return slot
        slot = self.slot_of[track] = len(self.names)
        self.names.append(None)
        self.unnamed[track] = agency_id
        if slot >= self.capacity:
            self._grow()
        self.wire["handle"][slot] = slot
        return slot

    def _grow(self) -> None:
        for name in ("wire", "observed_ms", "key", "drawn"):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.zeros_like(old)]))

    def _write(self, slots: Slots, records: NDArray[np.void]) -> None:
        knows_heading, knows_speed = (np.isfinite(records[name]) for name in ("heading_deg", "speed_mps"))
        fields = {
            "lon": records["lon"],
            "lat": records["lat"],
            "heading": heading_byte(records["heading_deg"]),
            "speed": speed_byte(records["speed_mps"]),
            "status": records["status"],
            "flags": knows_heading * HEADING_KNOWN | knows_speed * SPEED_KNOWN | ((records["flags"] & SOURCE_CLOCK_OFF) != 0) * CLOCK_OFF,
        }
        for name, values in fields.items():
            self.wire[name][slots] = values
        self.observed_ms[slots] = records["observed_us"] / 1000

    def _unveil(self, slots: Slots) -> None:
        """Draw those of these slots that now have a position and a name."""
        ready = [slot for slot in slots.tolist() if self.names[slot] is not None]
        for slot in ready:
            self.members[int(self.key[slot])].add(slot)
        self.drawn[ready] = True
        if ready:
            self.movement.arrived.append(np.array(ready, dtype=np.int64))

    def _cross(self, slots: Slots, before: NDArray[np.int64], keys: NDArray[np.int64]) -> None:
        crossed = np.flatnonzero((before != keys) & (before != NOWHERE) & self.drawn[slots])
        if not len(crossed):
            return
        for slot, old, new in zip(slots[crossed].tolist(), before[crossed].tolist(), keys[crossed].tolist(), strict=True):
            self.members[old].discard(slot)
            self.members[new].add(slot)
        self.movement.left.append((slots[crossed], before[crossed]))
        self.movement.arrived.append(slots[crossed])
