"""Follow devices through the fences, fix by fix, and say who went in and out.

Facts in, transitions out; nothing is read or written here. A device is its slot in the owner's memory. Dwell, cross and lost
come with the alerts: they are further kinds of the same state (device, fence, entry fix).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.geofences.transitions import Keys, crossings

FENCE_BITS = 32
FENCE_MASK = (1 << FENCE_BITS) - 1


def key_of(slot: NDArray[np.int64], fence_id: NDArray[np.int64]) -> Keys:
    """Return one number for a device in a fence. Both fit 31 bits."""
    return (slot << FENCE_BITS) | fence_id


@dataclass(frozen=True)
class Stays:
    """Who is in what, ascending by key; `entered_us` is the entry fix of the stay, in microseconds since 1970."""

    keys: Keys
    entered_us: NDArray[np.int64]

    @classmethod
    def none(cls) -> "Stays":
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def of(cls, keys: Keys, entered_us: NDArray[np.int64]) -> "Stays":
        order = np.argsort(keys)
        return cls(keys[order], entered_us[order])

    def entered(self, keys: Keys) -> NDArray[np.int64]:
        """Return the entry fixes of these keys, all of which are held."""
        return self.entered_us[np.searchsorted(self.keys, keys)]

    def holds(self, keys: Keys) -> NDArray[np.bool_]:
        """Say of each key whether it is held."""
        if not len(self.keys):
            return np.zeros(len(keys), bool)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.asarray(self.keys[places] == keys)

    def changed(self, *, exits: Keys, entries: Keys, entered_us: NDArray[np.int64]) -> "Stays":
        """Return the stays without the exits and with the entries, which are ascending."""
        gone = np.searchsorted(self.keys, exits)
        keys, since_us = np.delete(self.keys, gone), np.delete(self.entered_us, gone)
        places = np.searchsorted(keys, entries)
        return Stays(np.insert(keys, places, entries), np.insert(since_us, places, entered_us))


@dataclass(frozen=True)
class Transitions:
    """One entry a change, in the order in which each device's fixes came; exits before entries of one fix.

    `entered_us`: entry fix of the stay; `observed_us`: the fix that shows the change.
    """

    key: Keys
    is_entry: NDArray[np.bool_]
    entered_us: NDArray[np.int64]
    observed_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.key)

    @property
    def slot(self) -> NDArray[np.int64]:
        return self.key >> FENCE_BITS

    @property
    def fence_id(self) -> NDArray[np.int64]:
        return self.key & FENCE_MASK


def follow(
    *, slot: NDArray[np.int64], observed_us: NDArray[np.int64], pairs: tuple[NDArray[np.int64], NDArray[np.int64]], stays: Stays
) -> tuple[Transitions, Stays]:
    """Return what changed and who is in what afterwards.

    `slot` and `observed_us`: fixes in order of arrival, each newer than the ones before it of its device. `pairs`:
    (place of the fix, fence id). Round n looks at every device's n-th fix at once.
    """
    turn = _occurrence(slot)
    keys = key_of(slot[pairs[0]], pairs[1])
    parts: list[Transitions] = []
    for number in range(int(turn.max()) + 1 if len(turn) else 0):
        chosen = turn == number
        is_inside = np.sort(keys[chosen[pairs[0]]])
        part, stays = _round(slot[chosen], observed_us[chosen], is_inside, stays)
        parts.append(part)
    return _joined(parts), stays


def _round(slot: NDArray[np.int64], observed_us: NDArray[np.int64], is_inside: Keys, stays: Stays) -> tuple[Transitions, Stays]:
    at = np.full(int(max(slot.max(), (stays.keys >> FENCE_BITS).max(initial=0))) + 1, -1, np.int64)
    at[slot] = observed_us
    was_inside = stays.keys[at[stays.keys >> FENCE_BITS] >= 0]
    exits, entries = crossings(was_inside=was_inside, is_inside=is_inside)
    entered_us = at[entries >> FENCE_BITS]
    key = np.r_[exits, entries]
    part = Transitions(
        key, np.r_[np.zeros(len(exits), bool), np.ones(len(entries), bool)], np.r_[stays.entered(exits), entered_us], at[key >> FENCE_BITS]
    )
    return part, stays.changed(exits=exits, entries=entries, entered_us=entered_us) if len(key) else stays


def _occurrence(slot: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each fix how many of the same device came before it."""
    order = np.argsort(slot, kind="stable")
    first = np.r_[True, np.diff(slot[order]) != 0][: len(order)]
    starts = np.flatnonzero(first)
    answer = np.empty(len(order), np.int64)
    answer[order] = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    return answer


def _joined(parts: list[Transitions]) -> Transitions:
    if not parts:
        none = np.empty(0, np.int64)
        return Transitions(none, np.empty(0, bool), none, none)
    names = Transitions.__dataclass_fields__
    return Transitions(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
