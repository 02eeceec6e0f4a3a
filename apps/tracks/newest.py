"""Which fixes are newer than everything known of their track when they arrive."""

import numpy as np
from numpy.typing import NDArray


def newer_than_all_before(
    *, track: NDArray[np.integer], observed_us: NDArray[np.int64], latest_us: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return for each fix, in order of arrival, whether it is strictly newer than its track's latest and than every
    earlier arrival of the same track in these arrays.

    `track` holds small whole numbers, `latest_us[track]` the latest known time. The answer does not depend on how a stream
    was cut into batches. O(n log n).
    """
    order = np.argsort(track, kind="stable")
    sorted_track, sorted_time = track[order], observed_us[order]
    first = np.r_[True, sorted_track[1:] != sorted_track[:-1]] if len(order) else np.zeros(0, bool)
    highest_before = _running_maximum(first, np.where(first, np.maximum(latest_us[sorted_track], 0), 0), sorted_time)
    answer = np.empty(len(order), bool)
    answer[order] = sorted_time > np.maximum(highest_before, latest_us[sorted_track])
    return answer


def _running_maximum(first: NDArray[np.bool_], floor: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the highest earlier time within each group; the floor where there is none. Groups start where `first`."""
    if first.all():
        return floor
    ranks, rank = np.unique(time, return_inverse=True)
    group = np.cumsum(first) - 1
    highest = np.maximum.accumulate(group * (len(ranks) + 1) + rank + 1)
    before = np.r_[0, highest[:-1]] - group * (len(ranks) + 1)
    return np.where(first, floor, ranks[np.clip(before - 1, 0, len(ranks) - 1)])
