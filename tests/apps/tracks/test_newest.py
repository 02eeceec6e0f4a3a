"""Which fixes are newer than everything known of their track when they arrive."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apps.tracks.newest import newer_than_all_before

TRACKS = 4
arrivals = st.lists(st.tuples(st.integers(0, TRACKS - 1), st.integers(1, 12)), max_size=30)


def plainly(stream: list[tuple[int, int]], latest: list[int]) -> list[bool]:
    newest = list(latest)
    answer = []
    for track, time in stream:
        answer.append(time > newest[track])
        newest[track] = max(newest[track], time)
    return answer


def by_arrays(stream: list[tuple[int, int]], latest: list[int]) -> list[bool]:
    track = np.array([track for track, _ in stream], np.int64)
    observed = np.array([time for _, time in stream], np.int64)
    newer = newer_than_all_before(track=track, observed_us=observed, latest_us=np.array(latest, np.int64))
    return [bool(one) for one in newer]


@given(stream=arrivals, latest=st.lists(st.integers(0, 12), min_size=TRACKS, max_size=TRACKS))
def test_it_agrees_with_a_plain_loop(stream: list[tuple[int, int]], latest: list[int]) -> None:
    assert by_arrays(stream, latest) == plainly(stream, latest)


@given(stream=arrivals, cut=st.integers(0, 30))
def test_it_does_not_matter_how_a_stream_is_cut_into_batches(stream: list[tuple[int, int]], cut: int) -> None:
    latest = [0] * TRACKS
    first = by_arrays(stream[:cut], latest)
    for track, time in stream[:cut]:
        latest[track] = max(latest[track], time)
    assert first + by_arrays(stream[cut:], latest) == by_arrays(stream, [0] * TRACKS)
