"""Rows of devices that report for the first time, thousands at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from psycopg import errors

from apps.geo.binary_copy import bigint, smallint, text
from apps.tracks.history import Cursor, copy

IDS = "SELECT nextval('tracks_track_id_seq') FROM generate_series(1, %s)"
COPY = "COPY tracks_track (id, agency_id, source_id, identity, name, kind, origin, shard, rev) FROM STDIN (FORMAT binary)"


class TracksUnknown(Exception):
    """Tracks that should be new are there already: who asked remembers less than the database holds."""


class NewTrack(NamedTuple):
    agency_id: int
    source_id: int
    identity: str
    name: str
    kind: str
    origin: str
    shard: int


def make_tracks(cursor: Cursor, tracks: Sequence[NewTrack]) -> list[int]:
    """Insert the tracks, each (source, identity) once among them; return their ids. Only the owner of a track's shard makes it
    and remembers it, so all are new. Raises TracksUnknown when one is not; the transaction is void then."""
    agency, source, identity, name, kind, origin, shard = zip(*tracks, strict=True)
    ids = [row[0] for row in cursor.execute(IDS, [len(tracks)]).fetchall()]
    numbers = [bigint(np.array(values, np.int64)) for values in (ids, agency, source)]
    texts = [text(values) for values in (identity, name, kind, origin)]
    try:
        copy(cursor, COPY, [*numbers, *texts, smallint(np.array(shard)), bigint(np.zeros(len(ids), np.int64))])
    except errors.UniqueViolation as error:
        raise TracksUnknown(str(error)) from error
    return ids
