"""Write transitions and presences of a batch; read the presences of the shards that an owner won."""

from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from apps.geo.binary_array import INT8, integers
from apps.geo.binary_copy import bigint, text, timestamptz
from apps.geofences.presence import Stays, Transitions
from apps.tracks.history import copy

LOAD = """
    SELECT p.track_id, p.fence_id, (extract(epoch FROM p.entered_at) * 1000000)::bigint
    FROM geofences_presence p JOIN tracks_track t ON t.id = p.track_id WHERE t.shard = ANY(%s)
"""
TRANSITIONS = """
    COPY geofences_transition (track_id, fence_id, kind, entered_at, observed_at, recorded_at) FROM STDIN (FORMAT binary)
"""
LEAVE = """
    DELETE FROM geofences_presence USING unnest(%s::bigint[], %s::bigint[]) AS gone (track, fence)
    WHERE track_id = gone.track AND fence_id = gone.fence
"""
STAY = "COPY geofences_presence (track_id, fence_id, entered_at) FROM STDIN (FORMAT binary)"


def load_presence(cursor: psycopg.Cursor[Any], shards: list[int]) -> list[tuple[int, int, int]]:
    """Return (track id, fence id, entry fix in microseconds since 1970) of who is inside."""
    return cursor.execute(LOAD, [shards]).fetchall()


def record(
    cursor: psycopg.Cursor[Any], transitions: Transitions, stays: Stays, *, track_id: NDArray[np.int64], recorded_us: int
) -> None:
    """`stays`: who is in what after the transitions. `track_id`: by slot."""
    if not len(transitions):
        return
    tracks, fences, entered = track_id[transitions.slot], transitions.fence_id, transitions.entered_us
    kinds = text(["enter" if is_entry else "exit" for is_entry in transitions.is_entry.tolist()])
    times = [timestamptz(us) for us in (entered, transitions.observed_us, np.full(len(transitions), recorded_us))]
    copy(cursor, TRANSITIONS, [bigint(tracks), bigint(fences), kinds, *times])
    left, came = _net(transitions, stays)
    if left.any():
        cursor.execute(LEAVE, [integers(INT8, tracks[left]), integers(INT8, fences[left])])
    if came.any():
        copy(cursor, STAY, [bigint(tracks[came]), bigint(fences[came]), timestamptz(entered[came])])


def _net(transitions: Transitions, stays: Stays) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which transitions end a stored stay, and which begin one that lasts: a batch may hold several of one pair."""
    came = transitions.is_entry & stays.holds(transitions.key)
    came[came] = stays.entered(transitions.key[came]) == transitions.entered_us[came]
    return ~transitions.is_entry, came
