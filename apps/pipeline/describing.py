"""What devices say of themselves: a new call sign is a new assignment; a new name or kind changes the device's row."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from apps.geo.binary_array import INT8, TEXT, Packed, blobs, integers
from apps.geo.clock import moment
from apps.pipeline.batch import Batch
from apps.pipeline.tracks import Description
from apps.tracks.observations import Fix

UNITS = """
    INSERT INTO units_unit (agency_id, call_sign, kind) SELECT *, 'patrol' FROM unnest(%s::bigint[], %s::text[])
    ON CONFLICT (agency_id, call_sign) DO UPDATE SET call_sign = excluded.call_sign
    RETURNING agency_id, call_sign, id
"""
# Looked up track by track, whatever the planner thinks of a table that was empty a moment ago: the other way round it
# compares every open assignment with every track.
END = """
    UPDATE units_assignment SET ends_at = 'epoch'::timestamptz + found.us * interval '1 microsecond' FROM (
        SELECT held.id, asked.us FROM unnest(%s::bigint[], %s::bigint[]) AS asked (track, us)
        CROSS JOIN LATERAL (SELECT id FROM units_assignment WHERE track_id = asked.track AND ends_at IS NULL FOR UPDATE) held
    ) AS found
    WHERE units_assignment.id = found.id
"""
ASSIGN = """
    INSERT INTO units_assignment (unit_id, track_id, vehicle, crew, shift, beat, starts_at, recorded_at)
    SELECT unit, track, '', '[]', '', '', 'epoch'::timestamptz + us * interval '1 microsecond', %s
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS new (unit, track, us)
"""
RENAME = """
    UPDATE tracks_track SET name = new.name, kind = new.kind
    FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS new (id, name, kind) WHERE tracks_track.id = new.id
"""


def describe(batch: Batch, newest: NDArray[np.intp]) -> None:
    """Compare what the newest fixes say with what is known; write and remember the differences."""
    if batch.fixes is None:
        return
    tracks, reassigned, renamed = batch.memory.tracks, {}, {}
    for place, slot in zip(newest.tolist(), batch.fixes.slot[newest].tolist(), strict=True):
        known, said = tracks.described[slot], batch.said[place]
        now = _said(said, known)
        if now == known:
            continue
        batch.described[slot] = now
        if now.call_sign != known.call_sign:
            reassigned[slot] = said.observed_us
        if now[1:] != known[1:]:
            renamed[slot] = now
    if renamed:
        names, kinds = _texts(now.name for now in renamed.values()), _texts(now.kind for now in renamed.values())
        batch.cursor.execute(RENAME, [integers(INT8, tracks.track_id[list(renamed)]), names, kinds])
    if reassigned:
        _assign(batch, reassigned)


def _said(fix: Fix, known: Description) -> Description:
    if fix.call_sign is None and fix.name is None and fix.kind is None:
        return known
    return Description(fix.call_sign or known.call_sign, fix.name or known.name, fix.kind or known.kind)


def _assign(batch: Batch, since_us: dict[int, int]) -> None:
    """Open an assignment for each slot from the fix that shows the call sign on, and end the one before. A device that this
    very batch made has none."""
    tracks = batch.memory.tracks
    unit_of = _units(batch, since_us)
    ended = [slot for slot in since_us if slot not in batch.fresh]
    if ended:
        times = integers(INT8, [since_us[slot] for slot in ended])
        batch.cursor.execute(END, [integers(INT8, tracks.track_id[ended]), times])
    ids, times = integers(INT8, tracks.track_id[list(since_us)]), integers(INT8, list(since_us.values()))
    batch.cursor.execute(ASSIGN, [moment(batch.recorded_us), integers(INT8, list(unit_of.values())), ids, times])


def _units(batch: Batch, slots: Iterable[int]) -> dict[int, int]:
    """Return for each slot the id of the unit whose call sign it shows, made if there is none."""
    agency_id, described = batch.memory.tracks.agency_id, batch.described
    wanted = {slot: (int(agency_id[slot]), described[slot].call_sign or "") for slot in slots}
    signs = sorted(set(wanted.values()))
    values = [integers(INT8, [agency for agency, _ in signs]), _texts(sign for _, sign in signs)]
    unit = {(agency, sign): id for agency, sign, id in batch.cursor.execute(UNITS, values).fetchall()}
    return {slot: unit[sign] for slot, sign in wanted.items()}


def _texts(values: Iterable[str]) -> Packed:
    return blobs(TEXT, [value.encode() for value in values])
