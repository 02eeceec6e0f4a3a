"""Write the latest position of each track, under a revision.

Each track has one writer, the owner of its shard, and it remembers at which place in the table (`ctid`) it left the track's row.
By its key a row is found through every version of it that some old snapshot may still see: after a minute under one snapshot
that took ten times as long as the rest of a batch.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from apps.geo.binary_array import INT8, TID, Packed, column, integers
from apps.geo.binary_copy import Column, bigint
from apps.tracks.arrays import FixArrays
from apps.tracks.history import FIELDS, READ, SENT, Cursor, arrays, columns, copy
from apps.tracks.records import CLOCK_OFF, DEGREE, POSITION

CHANGING = [*FIELDS.split(", ")[1:], "rev"]
CHANGES = ", ".join(f"{name} = new.{name}" for name in CHANGING).replace("new.geom", "new.geom::geometry")
NEW = f"unnest({SENT}, %s::bigint[], %s::bigint[]) AS new ({FIELDS}, agency_id, rev)"
LEFT = "RETURNING latest.track_id, tidsend(latest.ctid)"
# "+ 0" hides the index by track, which would be searched instead of the place.
UPDATE = f"""
    UPDATE tracks_position latest SET {CHANGES}
    FROM unnest({SENT}, %s::bigint[], %s::bigint[], %s::tid[]) AS new ({FIELDS}, agency_id, rev, place)
    WHERE latest.ctid = new.place AND latest.track_id + 0 = new.track_id {LEFT}
"""
UPDATE_BY_KEY = f"UPDATE tracks_position latest SET {CHANGES} FROM {NEW} WHERE latest.track_id = new.track_id {LEFT}"
INSERT = f"""
    INSERT INTO tracks_position AS latest ({FIELDS}, agency_id, rev) SELECT {READ}, agency_id, rev FROM {NEW} {LEFT}
"""
FIRST = f"COPY tracks_position ({FIELDS}, agency_id, rev) FROM STDIN (FORMAT binary)"
TAG = f"""
    UPDATE tracks_position latest SET boundaries = tag.ids::bigint[]
    FROM unnest(%s::bigint[], %s::text[]) AS tag (track_id, ids) WHERE latest.track_id = tag.track_id {LEFT}
"""
PLACE = np.dtype([("block", ">u4"), ("line", ">u2")])


class Left(NamedTuple):
    """Where rows were left: places (block * 65536 + line) of tracks, by id."""

    track_id: NDArray[np.int64]
    place: NDArray[np.int64]


def place_of(sent: bytes) -> int:
    """Return the place that PostgreSQL sent as a tid."""
    return int.from_bytes(sent, "big")


def write(
    cursor: Cursor,
    fixes: FixArrays,
    *,
    place: NDArray[np.int64],
    first: NDArray[np.bool_],
    agency_id: NDArray[np.int64],
    rev: NDArray[np.int64],
    recorded_us: int,
) -> Left:
    """Write one position a track and return where the rows of known tracks are now; `fixes` holds one fix a track.

    `first`: the track has no position yet. `place`: where its row was left, as far as is known; a row that is not there is
    found by its key, and one that was deleted since is made anew (ON CONFLICT would lock and log every row twice).
    """
    new, known = np.flatnonzero(first), np.flatnonzero(~first)
    if len(new):
        copy(cursor, FIRST, [*columns(fixes.take(new), recorded_us), bigint(agency_id[new]), bigint(rev[new])])
    if not len(known):
        return _left([])

    def sent(chosen: NDArray[np.intp]) -> list[object]:
        return [*arrays(fixes.take(chosen), recorded_us), integers(INT8, agency_id[chosen]), integers(INT8, rev[chosen])]

    rows = cursor.execute(UPDATE, [*sent(known), places(place[known])]).fetchall()
    for statement in (UPDATE_BY_KEY, INSERT):
        if len(rows) < len(known):
            done = np.isin(fixes.track_id[known], [id for id, _ in rows])
            rows += cursor.execute(statement, sent(known[~done])).fetchall()
    return _left(rows)


def places(place: NDArray[np.int64]) -> Packed:
    """Return places as an array of tid."""
    rows = np.empty(len(place), PLACE)
    rows["block"], rows["line"] = place >> 16, place & 0xFFFF
    return column(TID, Column(rows))


def _left(rows: list[tuple[int, bytes]]) -> Left:
    ids, where = np.array([id for id, _ in rows], np.int64), np.frombuffer(b"".join(at for _, at in rows), PLACE)
    return Left(ids, where["block"].astype(np.int64) << 16 | where["line"])


def tag(cursor: Cursor, tags: dict[int, tuple[int, ...]]) -> Left:
    """Write the boundaries of the tracks (by id) that went from one set of boundaries to another; return where their rows are
    now."""
    if not tags:
        return _left([])
    return _left(cursor.execute(TAG, [list(tags), ["{" + ",".join(map(str, ids)) + "}" for ids in tags.values()]]).fetchall())


def packed(fixes: FixArrays) -> NDArray[np.void]:
    """Return the records that a hint carries."""
    records = np.zeros(len(fixes), POSITION)
    records["track"] = fixes.track_id
    for name in ("observed_us", "received_us", "speed_mps", "heading_deg", "accuracy_m", "status"):
        records[name] = getattr(fixes, name)
    records["lon"] = np.rint(fixes.lon * DEGREE)
    records["lat"] = np.rint(fixes.lat * DEGREE)
    records["flags"] = np.where(fixes.clock_offset_ms != 0, CLOCK_OFF, 0)
    return records
