"""Following many devices at once says what following each alone, fix by fix, would say."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apps.geofences.presence import Stays, Transitions, follow, key_of

Step = tuple[int, frozenset[int]]
Told = list[tuple[int, int, str, int, int]]
steps = st.lists(st.tuples(st.integers(0, 4), st.frozensets(st.integers(1, 4), max_size=3)), max_size=30)


def run(given_steps: list[Step], stays: Stays, *, first_us: int = 1) -> tuple[Transitions, Stays]:
    """Step n is a fix of a device at `first_us + n`, inside these fences."""
    slot = np.array([device for device, _ in given_steps], np.int64)
    pairs = [(place, fence) for place, (_, fences) in enumerate(given_steps) for fence in sorted(fences)]
    places, fences = (np.array([pair[axis] for pair in pairs], np.int64) for axis in (0, 1))
    observed = np.arange(first_us, first_us + len(slot), dtype=np.int64)
    return follow(slot=slot, observed_us=observed, pairs=(places, fences), stays=stays)


def told(transitions: Transitions) -> Told:
    columns = (transitions.slot, transitions.fence_id, transitions.is_entry, transitions.entered_us, transitions.observed_us)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [(slot, fence, "enter" if is_entry else "exit", entered, at) for slot, fence, is_entry, entered, at in rows]


def one_by_one(given_steps: list[Step], inside: dict[tuple[int, int], int], *, first_us: int = 1) -> Told:
    """The plain way; changes `inside`."""
    rows: Told = []
    for at, (device, fences) in enumerate(given_steps, start=first_us):
        for held in sorted(fence for slot, fence in inside if slot == device and fence not in fences):
            rows.append((device, held, "exit", inside.pop((device, held)), at))
        for fence in sorted(fences):
            if (device, fence) not in inside:
                inside[device, fence] = at
                rows.append((device, fence, "enter", at, at))
    return rows


def held(stays: Stays) -> dict[tuple[int, int], int]:
    return {(key >> 32, key & 0xFFFFFFFF): us for key, us in zip(stays.keys.tolist(), stays.entered_us.tolist(), strict=True)}


@given(steps)
def test_it_says_what_one_by_one_says(given_steps: list[Step]) -> None:
    inside: dict[tuple[int, int], int] = {}
    transitions, stays = run(given_steps, Stays.none())
    wanted = one_by_one(given_steps, inside)
    assert sorted(told(transitions)) == sorted(wanted)
    for device in range(5):
        assert [row for row in told(transitions) if row[0] == device] == [row for row in wanted if row[0] == device]
    assert held(stays) == inside


@given(steps, st.integers(0, 30))
def test_it_does_not_matter_where_the_stream_is_cut(given_steps: list[Step], cut: int) -> None:
    whole, after = run(given_steps, Stays.none())
    first, between = run(given_steps[:cut], Stays.none())
    second, end = run(given_steps[cut:], between, first_us=1 + len(given_steps[:cut]))
    assert sorted(told(first) + told(second)) == sorted(told(whole))
    assert held(end) == held(after)


@given(steps)
def test_enter_and_exit_take_turns(given_steps: list[Step]) -> None:
    transitions, _ = run(given_steps, Stays.none())
    kinds: dict[tuple[int, int], list[str]] = {}
    for slot, fence, kind, entered, at in told(transitions):
        kinds.setdefault((slot, fence), []).append(kind)
        assert entered <= at
    assert all(said == ["enter", "exit"] * (len(said) // 2) + ["enter"] * (len(said) % 2) for said in kinds.values())


def test_who_does_not_report_stays_inside() -> None:
    stays = Stays.of(key_of(np.array([7, 8]), np.array([1, 1])), np.array([5, 6]))
    transitions, after = run([(8, frozenset())], stays, first_us=9)
    assert told(transitions) == [(8, 1, "exit", 6, 9)]
    assert held(after) == {(7, 1): 5}


@given(st.sets(st.integers(0, 50)), st.lists(st.integers(0, 50)))
def test_it_knows_what_it_holds(held_keys: set[int], asked: list[int]) -> None:
    keys = np.array(sorted(held_keys), np.int64)
    assert Stays(keys, keys).holds(np.array(asked, np.int64)).tolist() == [key in held_keys for key in asked]


def test_nothing_in_nothing_out() -> None:
    transitions, stays = run([], Stays.none())
    assert (len(transitions), len(stays.keys)) == (0, 0)
