"""A crossing is a set difference."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apps.geofences.transitions import crossings

sets = st.frozensets(st.integers(0, 50), max_size=20)


@given(was=sets, now=sets)
def test_exits_and_entries_are_the_two_differences(was: frozenset[int], now: frozenset[int]) -> None:
    exits, entries = crossings(was_inside=np.array(sorted(was), np.int64), is_inside=np.array(sorted(now), np.int64))
    assert exits.tolist() == sorted(was - now)
    assert entries.tolist() == sorted(now - was)
    assert (was - set(exits.tolist())) | set(entries.tolist()) == now
