"""Stage 1. Bytes of the queue to arrays of fixes and statements about calls; devices seen for the first time get their row."""

from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from apps.incidents.observations import BoardPoll, CallReport
from apps.incidents.reading import Statement
from apps.ingest.queue import Parcel, decoder
from apps.pipeline.batch import Batch, Outcome
from apps.pipeline.memory import SourceInfo
from apps.pipeline.take import QueueRow
from apps.tracks.arrays import FixArrays
from apps.tracks.making import NewTrack, make_tracks
from apps.tracks.observations import Fix

FLOATS = ("lon", "lat", "altitude_m", "speed_mps", "heading_deg", "accuracy_m")


class SourceGone(Exception):
    """A row names a source that is not known; the references are read again."""

    def __init__(self, source_id: int) -> None:
        self.source_id = source_id
        super().__init__(f"its source {source_id} was deleted")


def decode(batch: Batch) -> None:
    for place, row in enumerate(batch.rows):
        parcel = _parcel(batch, row)
        if parcel and parcel.observations:
            source = _source(batch, row)
            _sort(batch, place, row, source, parcel)
    if batch.said:
        batch.fixes = _arrays(batch)


def _parcel(batch: Batch, row: QueueRow) -> Parcel | None:
    try:
        parcel = decoder.decode(row.parcel)
    except msgspec.DecodeError as error:
        batch.outcomes.append(Outcome(row, 0, "set_aside", f"the queue's row cannot be decoded: {error}"))
        return None
    if not batch.set_aside and batch.only is None:
        return parcel
    pairs = list(zip(parcel.indexes, parcel.observations, strict=True))
    for index, observation in pairs:
        reason = batch.set_aside.get((row.id, index))
        if reason:
            batch.outcomes.append(Outcome(row, index, "set_aside", reason, observation))
    kept = [pair for pair in pairs if batch.wants(row, pair[0])]
    return Parcel([index for index, _ in kept], [observation for _, observation in kept])


def _source(batch: Batch, row: QueueRow) -> SourceInfo:
    source = batch.memory.references.sources.get(row.source_id)
    if source is None:
        raise SourceGone(row.source_id)
    return source


def _sort(batch: Batch, place: int, row: QueueRow, source: SourceInfo, parcel: Parcel) -> None:
    if type(parcel.observations[0]) is Fix and set(map(type, parcel.observations)) == {Fix}:
        batch.said.extend(parcel.observations)  # type: ignore[arg-type]
        batch.fix_row.extend([place] * len(parcel.indexes))
        batch.fix_index.extend(parcel.indexes)
        return
    for index, observation in zip(parcel.indexes, parcel.observations, strict=True):
        if isinstance(observation, CallReport | BoardPoll):
            ranks = batch.memory.references.ranks.get(source.agency_id, {})
            statement = Statement(
                row.source_id, source.agency_id, source.origin, source.board, row.shard, row.received_us, ranks, observation
            )
            batch.statements.append((row, index, statement))
        else:
            batch.said.append(observation)
            batch.fix_row.append(place)
            batch.fix_index.append(index)


def _arrays(batch: Batch) -> FixArrays:
    said, count, tracks = batch.said, len(batch.said), batch.memory.tracks
    slot = _slots(batch)
    received = np.array([row.received_us for row in batch.rows], np.int64)
    floats = {name: np.array([*map(attrgetter(name), said)], np.float64) for name in FLOATS}
    return FixArrays(
        slot=slot,
        track_id=tracks.track_id[slot],
        observed_us=np.fromiter(map(attrgetter("observed_us"), said), np.int64, count),
        received_us=received[batch.fix_row],
        status=_status_numbers(batch, slot),
        clock_offset_ms=np.fromiter(map(attrgetter("clock_offset_ms"), said), np.int32, count),
        **floats,
    )


def _status_numbers(batch: Batch, slot: NDArray[np.int64]) -> NDArray[np.int16]:
    """Return the agencies' status numbers; 0 where the fix has none or one that the agency does not know."""
    statuses, codes = batch.memory.references.statuses, [fix.status for fix in batch.said]
    if not any(codes):
        return np.zeros(len(codes), np.int16)
    agencies = batch.memory.tracks.agency_id[slot].tolist()
    pairs = zip(agencies, codes, strict=True)
    return np.array([statuses.get(agency, {}).get(code, 0) if code else 0 for agency, code in pairs], np.int16)


def _slots(batch: Batch) -> NDArray[np.int64]:
    known = [batch.memory.tracks.slots.setdefault(row.source_id, {}) for row in batch.rows]
    keys = list(zip(batch.fix_row, map(attrgetter("identity"), batch.said), strict=True))
    slots: list[Any] = [known[row].get(identity) for row, identity in keys]
    if None in slots:
        _make_tracks(batch, [place for place, slot in enumerate(slots) if slot is None])
        slots = [known[row][identity] for row, identity in keys]
    return np.array(slots, np.int64)


def _make_tracks(batch: Batch, places: list[int]) -> None:
    """Insert the devices first seen at these places, and remember them (forgotten again if the batch fails)."""
    firsts: dict[tuple[int, str], NewTrack] = {}
    for place in places:
        row, fix = batch.rows[batch.fix_row[place]], batch.said[place]
        key = (row.source_id, fix.identity)
        if key not in firsts:
            source = _source(batch, row)
            firsts[key] = NewTrack(
                source.agency_id, row.source_id, fix.identity, fix.name or "", fix.kind or "car", source.origin, row.shard
            )
    made = [firsts[key] for key in sorted(firsts)]
    batch.fresh.update(batch.memory.tracks.add_new(make_tracks(batch.cursor, made), made))
