"""Stage 5, the last: receipts' outcomes, then the revisions' locks, then every row that carries `rev`."""

from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from apps.geo.binary_array import INT8, integers
from apps.geo.clock import moment
from apps.incidents import history as calls
from apps.layers.hints import Introduction, LayerChange
from apps.pipeline.batch import Batch
from apps.pipeline.describing import describe
from apps.tracks import latest
from apps.tracks.arrays import FixArrays

OUTCOMES = """
    INSERT INTO ingest_outcome (post_id, index, outcome, detail)
    SELECT * FROM unnest(%s::uuid[], %s::int[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING
"""
REJECT = """
    INSERT INTO ingest_reject (post_id, source_id, index, reason, detail, part, quarantined, received_at)
    VALUES (%s, %s, %s, %s, %s, %s, false, %s)
"""
BUMP = """
    UPDATE layers_layerrevision own SET rev = locked.rev + 1
    FROM (
        SELECT agency_id, rev FROM layers_layerrevision WHERE layer = %s AND agency_id = ANY(%s::bigint[]) ORDER BY agency_id FOR UPDATE
    ) locked
    WHERE own.layer = %s AND own.agency_id = locked.agency_id RETURNING own.agency_id, locked.rev
"""
MAKE = """
    INSERT INTO layers_layerrevision (layer, agency_id, rev) SELECT %s, agency, 0 FROM unnest(%s::bigint[]) AS wanted (agency)
    ORDER BY agency ON CONFLICT DO NOTHING
"""
FENCES = "SELECT agency_id, rev FROM layers_layerrevision WHERE layer = 'fences' ORDER BY agency_id FOR SHARE"
# Of the devices, units and assignments that the batch made: now, and not at COMMIT while others wait for the units' revision.
CHECK_KEYS = "SET CONSTRAINTS ALL IMMEDIATE"
TRACK_REV = """
    UPDATE tracks_track SET rev = told.rev FROM unnest(%s::bigint[], %s::bigint[]) AS told (id, rev) WHERE tracks_track.id = told.id
"""


class FencesChanged(Exception):
    """The fences are not those that the batch was crossed with: load them and run it again."""


def publish_state(batch: Batch) -> None:
    """Locks are taken in the order (layer, agency) as everywhere: calls, fences, units."""
    _tell_receipts(batch)
    newest = batch.newest_places()
    describe(batch, newest)
    _publish_calls(batch)
    if batch.fixes is not None:
        if batch.fresh or batch.described:
            batch.cursor.execute(CHECK_KEYS)
        _require_same_fences(batch)
        _publish_units(batch, newest)


def _tell_receipts(batch: Batch) -> None:
    rows = batch.outcomes
    if not rows:
        return
    posts, indexes = [UUID(bytes=row.row.receipt) for row in rows], [row.index for row in rows]
    batch.cursor.execute(OUTCOMES, [posts, indexes, [row.outcome for row in rows], [row.detail for row in rows]])
    rejects = [row for row in rows if row.outcome in {"conflicting", "set_aside"}]
    for reject in rejects:
        part = msgspec.json.encode(msgspec.structs.asdict(reject.kept)) if reject.kept is not None else reject.row.parcel
        at = moment(reject.row.received_us)
        source = reject.row.source_id if reject.row.source_id in batch.memory.references.sources else None
        values = [UUID(bytes=reject.row.receipt), source, reject.index, reject.outcome, reject.detail, part, at]
        batch.cursor.execute(REJECT, values)


def _lock(batch: Batch, layer: str, agencies: list[int]) -> dict[int, int]:
    """Lock and bump the revisions of a layer; return by agency the revision before."""
    wanted = integers(INT8, agencies)
    heads = dict(batch.cursor.execute(BUMP, [layer, wanted, layer]).fetchall())
    if len(heads) < len(agencies):
        batch.cursor.execute(MAKE, [layer, wanted])
        missing = integers(INT8, [agency for agency in agencies if agency not in heads])
        heads |= dict(batch.cursor.execute(BUMP, [layer, missing, layer]).fetchall())
    return heads


def _publish_calls(batch: Batch) -> None:
    changed = list(batch.calls.changed.values()) if batch.calls else []
    if not changed:
        return
    heads = _lock(batch, "calls", sorted({call.agency_id for call in changed}))
    rows = [(call, call.facts, heads[call.agency_id] + 1) for call in changed if call.facts]
    calls.write_newest(batch.cursor, rows, recorded_us=batch.recorded_us)
    batch.changes += [LayerChange("calls", agency, rev, rev + 1, None) for agency, rev in heads.items()]


def _require_same_fences(batch: Batch) -> None:
    revisions = tuple((int(agency), int(rev)) for agency, rev in batch.cursor.execute(FENCES).fetchall())
    if revisions != batch.memory.fences.revisions:
        raise FencesChanged


def _publish_units(batch: Batch, newest: NDArray[np.intp]) -> None:
    assert batch.fixes is not None
    fixes, tracks = batch.fixes.take(newest), batch.memory.tracks
    agency = tracks.agency_id[fixes.slot]
    told = batch.renamed()
    agencies = sorted({*agency.tolist(), *tracks.agency_id[told].tolist()})
    if not agencies:
        return
    heads = _lock(batch, "units", agencies)
    rev = np.array([heads[one] + 1 for one in agency.tolist()], np.int64)
    first = tracks.latest_us[fixes.slot] == 0
    place = tracks.place[fixes.slot]
    left = latest.write(batch.cursor, fixes, place=place, first=first, agency_id=agency, rev=rev, recorded_us=batch.recorded_us)
    batch.remember.append(lambda: tracks.leave(fixes.slot, fixes.track_id, left))
    if told:
        revs = [heads[int(tracks.agency_id[slot])] + 1 for slot in told]
        batch.cursor.execute(TRACK_REV, [integers(INT8, tracks.track_id[told]), integers(INT8, revs)])
    _tag_boundaries(batch, fixes)
    _hint(batch, fixes, agency, heads)
    batch.remember.append(lambda: _remember(batch, fixes))


def _tag_boundaries(batch: Batch, fixes: FixArrays) -> None:
    """Write the boundaries of the devices that went from one set of them to another."""
    index, known, tracks = batch.memory.references.boundaries, batch.memory.tracks.boundaries, batch.memory.tracks
    if index is None or not len(index.ids) or not len(fixes):
        return
    places, ids = index.pairs(fixes.lon, fixes.lat, tracks.agency_id[fixes.slot])
    found: dict[int, list[int]] = {}
    for place, id in zip(places.tolist(), ids.tolist(), strict=True):
        found.setdefault(place, []).append(id)
    tags = ((slot, tuple(found.get(place, ()))) for place, slot in enumerate(fixes.slot.tolist()))
    moved = {slot: now for slot, now in tags if now != known[slot]}
    left = latest.tag(batch.cursor, {int(tracks.track_id[slot]): now for slot, now in moved.items()})
    batch.remember.append(lambda: [known.__setitem__(slot, now) for slot, now in moved.items()])
    batch.remember.append(lambda: tracks.leave(fixes.slot, fixes.track_id, left))


def _hint(batch: Batch, fixes: FixArrays, agency: NDArray[np.int64], heads: dict[int, int]) -> None:
    """Positions travel in the hint, and who the new devices are: thousands that report for the first time would else be read by
    every hub. Where the description of a known device changed the hubs go and read, since people may have assigned it."""
    read: set[int] = set(batch.memory.tracks.agency_id[batch.renamed()].tolist())
    records, introduced = latest.packed(fixes), _introductions(batch)
    for one, rev in heads.items():
        told = (None, []) if one in read else (records[agency == one].tobytes(), introduced.get(one, []))
        batch.changes.append(LayerChange("units", one, rev, rev + 1, *told))


def _introductions(batch: Batch) -> dict[int, list[Introduction]]:
    """Return by agency what hubs must know of the devices that the batch made."""
    tracks, sources = batch.memory.tracks, batch.memory.references.sources
    found: dict[int, list[Introduction]] = {}
    for slot in batch.fresh:
        source, said = sources[tracks.source_id[slot]], batch.described.get(slot, tracks.described[slot])
        row = (int(tracks.track_id[slot]), *said, source.origin, source.slug, source.interval_s)
        found.setdefault(int(tracks.agency_id[slot]), []).append(row)
    return found


def _remember(batch: Batch, fixes: FixArrays) -> None:
    batch.memory.tracks.latest_us[fixes.slot] = fixes.observed_us
    for slot, description in batch.described.items():
        batch.memory.tracks.described[slot] = description
