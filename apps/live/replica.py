"""The live layers in memory: loaded from one snapshot, kept up by hints and by reads of what is missing."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from apps.layers.hints import LayerChange
from apps.live.features import FeatureSet
from apps.live.heads import BEHIND_S, Head
from apps.live.positions import Positions
from apps.live.reader import Catch, Key
from apps.tracks.records import POSITION
from apps.units.layers import introduced


class Told(NamedTuple):
    """Messages about a layer of an agency, for all who may see it."""

    key: Key
    tails: list[bytes]


def readable(change: LayerChange, *, moves: bool) -> LayerChange:
    """Return the hint, or one that says "go and read" when its records are not what this layer's are."""
    records = change.records
    is_right = records is None or (isinstance(records, bytes) == moves and (moves or not change.introduced))
    if is_right and isinstance(records, bytes):
        is_right = len(records) % POSITION.itemsize == 0
    return change if is_right else LayerChange(change.layer, change.agency_id, change.prev, change.rev, None)


class Replica:
    """`moving` names the layers of kind "positions". Times are seconds of a monotonic clock."""

    def __init__(self, moving: set[str], layers: set[str]) -> None:
        self.moving = moving
        self.layers = layers
        self.heads: dict[Key, Head] = {}
        self.features: dict[Key, FeatureSet] = {}
        self.positions = Positions()

    def feature_set(self, key: Key) -> FeatureSet:
        if key not in self.features:
            self.features[key] = FeatureSet(*key)
        return self.features[key]

    def load(self, catches: dict[Key, Catch]) -> None:
        """Fill an empty replica."""
        for key, catch in catches.items():
            self._catch(key, catch)
            self._head(key).applied = self._head(key).known = catch.rev
        self.positions.take_movement()

    def hinted(self, changes: list[LayerChange], at: float) -> Iterator[Told]:
        for change in changes:
            if change.layer in self.layers:
                sound = readable(change, moves=change.layer in self.moving)
                yield from self._apply(self._head((change.layer, change.agency_id)).offer(sound, at))

    def caught_up(self, catches: dict[Key, Catch], at: float) -> Iterator[Told]:
        for key, catch in catches.items():
            yield self._catch(key, catch)
            yield from self._apply(self._head(key).caught_up(catch.rev, at))

    def saw(self, heads: dict[Key, int], at: float) -> None:
        for key, rev in heads.items():
            if key[0] in self.layers:
                self._head(key).saw(rev, at)

    def applied(self) -> dict[Key, int]:
        return {key: head.applied for key, head in self.heads.items()}

    def owes_since(self, at: float, patience_s: float) -> bool:
        """Say whether some layer lacks for longer than that what the database has."""
        return any(head.owes_since(at, patience_s) for head in self.heads.values())

    def wanting(self, at: float, *, is_told: bool) -> dict[Key, int]:
        """Return the applied revisions of what must be read now. Without hints there is nothing to wait for."""
        patience = BEHIND_S if is_told else 0.0
        wanted = {key: head.applied for key, head in self.heads.items() if head.wants_read(at, patience)}
        for key in wanted:
            self.heads[key].reading()
        return wanted

    def not_read(self, keys: dict[Key, int]) -> None:
        for key in keys:
            self.heads[key].not_read()

    def _head(self, key: Key) -> Head:
        return self.heads.setdefault(key, Head())

    def _apply(self, changes: list[LayerChange]) -> Iterator[Told]:
        for change in changes:
            key = (change.layer, change.agency_id)
            if isinstance(change.records, bytes):
                if change.introduced:
                    self.positions.introduce(change.agency_id, [introduced(row) for row in change.introduced])
                self.positions.apply(change.agency_id, np.frombuffer(change.records, dtype=POSITION))
            elif change.records:
                features = [(feature_id, geojson) for feature_id, geojson in change.records]
                yield Told(key, self.feature_set(key).apply(features, change.rev))

    def _catch(self, key: Key, catch: Catch) -> Told:
        if key[0] not in self.moving:
            return Told(key, self.feature_set(key).apply(catch.features, catch.rev))
        self.positions.remove(catch.removed)
        self.positions.introduce(key[1], catch.introductions)
        self.positions.apply(key[1], catch.positions)
        return Told(key, [])
