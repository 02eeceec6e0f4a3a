"""What an owner of shards remembers of its tracks, so that a batch needs no look-up. Changes only after COMMIT."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from apps.layers.definition import Cursor
from apps.tracks.latest import Left, place_of
from apps.tracks.making import NewTrack

LOAD = """
    SELECT t.id, t.source_id, t.identity, t.agency_id, t.name, t.kind,
           coalesce((extract(epoch FROM p.observed_at) * 1000000)::bigint, 0), p.boundaries, u.call_sign,
           coalesce(tidsend(p.ctid), '')
    FROM tracks_track t
    LEFT JOIN tracks_position p ON p.track_id = t.id
    LEFT JOIN units_assignment a ON a.track_id = t.id AND a.ends_at IS NULL
    LEFT JOIN units_unit u ON u.id = a.unit_id
    WHERE t.shard = ANY(%s)
"""


class Description(NamedTuple):
    """What a device says of itself besides where it is."""

    call_sign: str | None
    name: str
    kind: str


class KnownTrack(NamedTuple):
    """`latest_us` 0: no fix yet. `boundaries`: ids that its latest position is tagged with. `place`: where that is (tracks.latest)."""

    id: int
    source_id: int
    identity: str
    agency_id: int
    latest_us: int
    description: Description
    boundaries: tuple[int, ...] = ()
    place: int = 0


@dataclass
class TrackMemory:
    """Tracks by slot, a small whole number. Arrays grow by doubling; only the first `count` entries mean something."""

    slots: dict[int, dict[str, int]]
    track_id: NDArray[np.int64]
    agency_id: NDArray[np.int64]
    latest_us: NDArray[np.int64]
    place: NDArray[np.int64]
    source_id: list[int]
    described: list[Description]
    boundaries: list[tuple[int, ...]]

    @classmethod
    def empty(cls) -> "TrackMemory":
        track_id, agency_id, latest_us, place = np.zeros((4, 1024), np.int64)
        return cls({}, track_id, agency_id, latest_us, place, [], [], [])

    @property
    def count(self) -> int:
        return len(self.described)

    def add_all(self, tracks: Sequence[KnownTrack]) -> None:
        """Remember tracks that the database has."""
        if tracks:
            ids, sources, identities, agencies, latest_us, described, boundaries, place = zip(*tracks, strict=True)
            slots = self._add(ids, sources, identities, agencies, latest_us, described, boundaries)
            self.place[slots.start : slots.stop] = place

    def add_new(self, ids: Sequence[int], tracks: Sequence[NewTrack]) -> range:
        """Remember tracks that were just made, and return their slots."""
        count, described = len(tracks), [Description(None, track.name, track.kind) for track in tracks]
        agencies, sources, identities, *_ = zip(*tracks, strict=True)
        return self._add(ids, sources, identities, agencies, [0] * count, described, [()] * count)

    def _add(
        self,
        ids: Sequence[int],
        sources: Sequence[int],
        identities: Sequence[str],
        agencies: Sequence[int],
        latest_us: Sequence[int],
        described: Sequence[Description],
        boundaries: Sequence[tuple[int, ...]],
    ) -> range:
        slots = range(self.count, self.count + len(ids))
        self._make_room(slots.stop)
        here = slice(slots.start, slots.stop)
        self.track_id[here], self.agency_id[here], self.latest_us[here], self.place[here] = ids, agencies, latest_us, 0
        for slot, source, identity in zip(slots, sources, identities, strict=True):
            self.slots.setdefault(source, {})[identity] = slot
        self.source_id += sources
        self.described += described
        self.boundaries += boundaries
        return slots

    def _make_room(self, count: int) -> None:
        lacking = count - len(self.track_id)
        if lacking > 0:
            more = np.zeros(max(lacking, len(self.track_id)), np.int64)
            for name in ("track_id", "agency_id", "latest_us", "place"):
                setattr(self, name, np.concatenate([getattr(self, name), more]))

    def leave(self, slot: NDArray[np.int64], track_id: NDArray[np.int64], left: Left) -> None:
        """Remember where the rows of tracks were left; `slot` and `track_id` name them among others."""
        order = np.argsort(track_id)
        self.place[slot[order[np.searchsorted(track_id, left.track_id, sorter=order)]]] = left.place

    def forget_from(self, count: int) -> None:
        """Forget the tracks that a failed batch had added."""
        for identities in self.slots.values():
            for identity in [identity for identity, slot in identities.items() if slot >= count]:
                del identities[identity]
        del self.source_id[count:]
        del self.described[count:]
        del self.boundaries[count:]


def load_tracks(cursor: Cursor, shards: list[int]) -> TrackMemory:
    memory = TrackMemory.empty()
    cursor.execute(LOAD, [shards])
    memory.add_all(
        [
            KnownTrack(
                track_id, source_id, identity, agency_id, latest_us, Description(call_sign, name, kind), tuple(boundaries or ()),
                place_of(place),
            )
            for track_id, source_id, identity, agency_id, name, kind, latest_us, boundaries, call_sign, place in cursor.fetchall()
        ]
    )
    return memory
