"""Encode what moved, once a tick for everybody: a blob a tile that someone watches."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apps.live.frames import RECORD, blob
from apps.live.positions import Movement, Positions, Slots
from apps.live.tiles import AGENCY_SHIFT


@dataclass
class Tick:
    """What is sent now: blobs by tile and the slots that came into it; of pseudo tiles also the slots with news, and which lost a unit."""

    number: int = 0
    now_ms: float = 0.0
    blobs: dict[int, bytes] = field(default_factory=dict)
    arrived: dict[int, list[int]] = field(default_factory=dict)
    news: dict[int, Slots] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)


def as_lists(slots: dict[int, Slots]) -> dict[int, list[int]]:
    return {key: found.tolist() for key, found in slots.items()}


def unique(slots: list[Slots]) -> Slots:
    return np.unique(np.concatenate(slots)) if slots else np.empty(0, dtype=np.int64)


def encode_tiles(positions: Positions, movement: Movement, watched: AbstractSet[int], tick: Tick) -> None:
    """Fill a tick with the tiles that are watched. What crossed is told to both tiles; a tile that lost a unit is told whole."""
    slots, keys = _placed(positions, movement)
    tick.blobs |= _blobs(positions, slots, keys, watched, tick.now_ms)
    # Who left a tile and then the map is only missing where it went last.
    left_behind = {key for slots, keys in movement.left for key in keys[~positions.drawn[slots]].tolist()}
    for key in (movement.removed_from | left_behind) & watched:
        if key > 0:
            tick.blobs[key] = positions.whole(key, tick.now_ms).blob
    tick.arrived |= as_lists(_arrivals(positions, movement, watched))


def encode_wide(positions: Positions, movement: Movement, watched: AbstractSet[int], tick: Tick) -> None:
    """Fill a tick with the pseudo tiles that are watched."""
    tick.lost |= movement.removed_from & watched
    tick.news |= _of_agencies(positions, movement.news, watched)
    tick.arrived |= as_lists(_of_agencies(positions, movement.arrived, watched))
    tick.blobs |= {key: blob(key, positions.encode(slots, tick.now_ms), whole=False) for key, slots in tick.news.items()}


def _of_agencies(positions: Positions, parts: list[Slots], watched: AbstractSet[int]) -> dict[int, Slots]:
    slots = unique(parts)
    slots = slots[positions.drawn[slots]]
    return _grouped(slots, -(positions.key[slots] >> AGENCY_SHIFT), watched)


def _arrivals(positions: Positions, movement: Movement, watched: AbstractSet[int]) -> dict[int, Slots]:
    """Return what each tile's watchers may not know yet: what came, and what left before one of them began to watch."""
    came = unique(movement.arrived)
    slots = np.concatenate([came, *(slots for slots, _ in movement.left)])
    keys = np.concatenate([positions.key[came], *(keys for _, keys in movement.left)])
    drawn = positions.drawn[slots]
    return _grouped(slots[drawn], keys[drawn], watched)


def _placed(positions: Positions, movement: Movement) -> tuple[Slots, NDArray[np.int64]]:
    news = unique(movement.news)
    slots = [news, *(slots for slots, _ in movement.left)]
    keys = [positions.key[news], *(keys for _, keys in movement.left)]
    return np.concatenate(slots), np.concatenate(keys)


def _blobs(positions: Positions, slots: Slots, keys: NDArray[np.int64], watched: AbstractSet[int], now_ms: float) -> dict[int, bytes]:
    drawn = positions.drawn[slots]
    order = np.argsort(keys[drawn], kind="stable")
    slots, keys = slots[drawn][order], keys[drawn][order]
    if not len(slots):
        return {}
    records = positions.encode(slots, now_ms)
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    offsets = (starts * RECORD.itemsize).tolist()
    cuts = zip(keys[starts].tolist(), offsets, [*offsets[1:], len(records)], strict=True)
    return {key: blob(key, records[start:end], whole=False) for key, start, end in cuts if key in watched}


def _grouped(slots: Slots, keys: NDArray[np.int64], watched: AbstractSet[int]) -> dict[int, Slots]:
    return {key: slots[keys == key] for key in np.unique(keys).tolist() if key in watched}
