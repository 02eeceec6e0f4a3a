"""Stage 2. Fixes and calls into history; what was known already, late or in conflict is told to the receipts."""

import numpy as np

from apps.incidents import history as calls
from apps.incidents.reading import CallReader
from apps.pipeline.batch import Batch, Outcome
from apps.pipeline.partitions import require_days
from apps.tracks import history as tracks
from apps.tracks.newest import newer_than_all_before

DETAILS = {
    "late": "kept in history; a newer fix stands",
    "repeated": "known already",
    "conflicting": "another fix of this device has the same time",
}


def record_history(batch: Batch) -> None:
    if batch.fixes is not None:
        _record_fixes(batch)
    if batch.statements:
        _record_calls(batch)


def _record_fixes(batch: Batch) -> None:
    fixes = batch.fixes
    assert fixes is not None
    require_days(fixes.observed_us)
    batch.newer = newer_than_all_before(
        track=fixes.slot, observed_us=fixes.observed_us, latest_us=batch.memory.tracks.latest_us
    )
    outcomes = tracks.record(batch.cursor, fixes, newer=batch.newer, recorded_us=batch.recorded_us)
    for place, outcome in outcomes.items():
        row, kept = batch.rows[batch.fix_row[place]], batch.said[place] if outcome == "conflicting" else None
        batch.outcomes.append(Outcome(row, batch.fix_index[place], outcome, DETAILS[outcome], kept))


def _record_calls(batch: Batch) -> None:
    reader = CallReader(batch.cursor)
    reader.load([statement for _, _, statement in batch.statements])
    for row, index, statement in batch.statements:
        answer = reader.read(statement)
        if answer:
            kept = statement.said if answer[0] == "conflicting" else None
            batch.outcomes.append(Outcome(row, index, answer[0], answer[1], kept))
    _tag_calls(batch, reader)
    calls.write_revisions(batch.cursor, reader.revisions, recorded_us=batch.recorded_us)
    batch.calls = reader


def _tag_calls(batch: Batch, reader: CallReader) -> None:
    index = batch.memory.references.boundaries
    located = [(place, call, facts) for place, (call, facts) in enumerate(reader.revisions) if facts.lon is not None]
    if index is None or not len(index.ids) or not located:
        return
    lon = np.array([facts.lon for _, _, facts in located], np.float64)
    lat = np.array([facts.lat for _, _, facts in located], np.float64)
    agency_of = {call.id: call.agency_id for call in reader.calls.values()}
    agencies = np.array([agency_of[call] for _, call, _ in located], np.int64)
    found = index.ids_at(lon, lat, agencies)
    reader.tag({place: tuple(ids) for (place, _, _), ids in zip(located, found, strict=True)})
