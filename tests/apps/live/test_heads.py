"""Which hints are applied, and when the database is asked instead. Pure."""

from hypothesis import given
from hypothesis import strategies as st

from apps.layers.hints import LayerChange
from apps.live.heads import BEHIND_S, GAP_S, Head

PATIENCE = BEHIND_S


def change(prev: int, rev: int | None = None, records: bytes | None = b"") -> LayerChange:
    return LayerChange("calls", 1, prev, rev or prev + 1, records)


def revs(changes: list[LayerChange]) -> list[int]:
    return [one.rev for one in changes]


def test_it_applies_the_next_and_drops_what_it_has() -> None:
    head = Head(4)
    assert revs(head.offer(change(4), 0)) == [5]
    assert head.offer(change(4), 0) == []
    assert head.offer(change(2), 0) == []
    assert not head.wants_read(100, PATIENCE)


def test_it_puts_swapped_hints_in_order() -> None:
    head = Head(4)
    assert head.offer(change(5), 0) == []
    assert revs(head.offer(change(4), 0.01)) == [5, 6]
    assert not head.wants_read(1, PATIENCE)


def test_it_reads_when_a_hint_stays_missing() -> None:
    head = Head(4)
    head.offer(change(5), 0)
    assert not head.wants_read(GAP_S / 2, PATIENCE)
    assert head.wants_read(GAP_S, PATIENCE)


def test_it_reads_at_once_when_a_hint_says_so() -> None:
    head = Head(4)
    head.offer(change(4, records=None), 0)
    assert head.wants_read(0, PATIENCE)


def test_it_reads_when_the_database_is_ahead_for_a_while() -> None:
    head = Head(4)
    head.saw(5, 10)
    assert not head.wants_read(10 + BEHIND_S / 2, PATIENCE)
    assert head.wants_read(10 + BEHIND_S, PATIENCE)
    assert head.wants_read(10, 0)


def test_a_hint_that_comes_while_it_reads_is_applied_after_the_read() -> None:
    head = Head(4)
    head.saw(6, 0)
    head.reading()
    assert head.offer(change(6), 1) == []
    assert not head.wants_read(9, PATIENCE)
    assert revs(head.caught_up(6, 1)) == [7]


def test_a_read_that_failed_is_asked_for_again_by_the_next_look() -> None:
    head = Head(4)
    head.saw(6, 0)
    head.reading()
    head.not_read()
    assert not head.wants_read(9, PATIENCE)
    head.saw(6, 9)
    assert head.wants_read(9 + BEHIND_S, PATIENCE)


def test_a_hint_of_another_history_does_not_make_it_read_forever() -> None:
    head = Head(4)
    head.offer(change(900), 0)
    assert head.wants_read(1, PATIENCE)
    head.reading()
    assert head.caught_up(4, 1) == []
    assert not head.wants_read(99, PATIENCE)


@given(st.permutations(range(8)), st.lists(st.integers(0, 7)))
def test_in_any_order_and_doubled_every_hint_is_applied_once(order: list[int], doubled: list[int]) -> None:
    head = Head(0)
    applied = [one.rev for prev in [*order, *doubled] for one in head.offer(change(prev), 0)]
    assert applied == list(range(1, 9))


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["hint", "read", "see"])), max_size=40))
def test_what_is_applied_only_grows_and_a_look_at_the_head_ends_every_gap(events: list[tuple[int, str]]) -> None:
    head, applied = Head(0), 0
    for number, (rev, kind) in enumerate(events):
        if kind == "hint":
            head.offer(change(rev), number)
        elif kind == "see":
            head.saw(rev, number)
        elif head.wants_read(number, PATIENCE):
            head.reading()
            head.caught_up(10, number)
        assert head.applied >= applied
        applied = head.applied
    head.saw(10, 100)
    assert head.applied >= 10 or head.wants_read(101, PATIENCE)
