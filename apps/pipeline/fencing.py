"""Stage 3. Which devices went into and out of fences."""

import numpy as np

from apps.geofences import history
from apps.geofences.presence import Stays, follow
from apps.pipeline.batch import Batch


def cross_fences(batch: Batch) -> None:
    """Only fixes newer than all before of their track; what a late one does to fences comes with the alerts."""
    fresh = np.flatnonzero(batch.newer)
    if batch.fixes is None or not len(fresh):
        return
    fixes, memory = batch.fixes.take(fresh), batch.memory
    pairs = memory.fences.memberships(
        lon=fixes.lon, lat=fixes.lat, agency_id=memory.tracks.agency_id[fixes.slot], observed_us=fixes.observed_us
    )
    transitions, stays = follow(slot=fixes.slot, observed_us=fixes.observed_us, pairs=pairs, stays=memory.stays)
    history.record(batch.cursor, transitions, stays, track_id=memory.tracks.track_id, recorded_us=batch.recorded_us)
    batch.remember.append(lambda: _remember(batch, stays))


def _remember(batch: Batch, stays: Stays) -> None:
    batch.memory.stays = stays
