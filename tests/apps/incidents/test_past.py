"""Calls at a past time, whatever their sources say and in whatever order it comes: against a plain reading in Python."""

from collections.abc import Iterator
from datetime import datetime
from importlib import import_module

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.incidents.layers import page
from apps.incidents.models import Call, CallRevision, CallStanding
from apps.ingest.models import Source
from apps.layers.definition import PageQuery
from apps.layers.window import BBox
from tests.world import NOON, make_agency, make_source, minutes, properties, say

pytestmark = pytest.mark.django_db
FILL = import_module("apps.incidents.migrations.0002_standing").FILL
PLACES = (None, (-95.36, 29.76), (-95.2, 29.9), (179.9, 0.0), (-179.9, 0.0))
BOXES: tuple[BBox | None, ...] = (None, (-95.5, 29.5, -95.3, 29.8), (179.0, -1.0, -179.0, 1.0))
Said = tuple[str, int, int, int, str, tuple[float, float] | None]
"""Number, sequence, minute of observation, minute of recording, state, place."""

said = st.tuples(
    st.sampled_from("AB"), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.sampled_from(["waiting", "active", "closed"]),
    st.sampled_from(PLACES),
)  # fmt: skip
stories = st.lists(said, min_size=1, max_size=10, unique_by=lambda one: (one[0], one[1]))
minute = st.one_of(st.none(), st.integers(-1, 6))
questions = st.lists(st.tuples(minute, minute, st.sampled_from(BOXES)), min_size=6, max_size=16)


@pytest.fixture
def cad() -> Source:
    return make_source(make_agency())


def tell(cad: Source, story: list[Said]) -> None:
    CallStanding.objects.all().delete()
    CallRevision.objects.all().delete()
    Call.objects.all().delete()
    for number, sequence, observed, recorded, state, place in story:
        heard = NOON + minutes(recorded)
        say(cad, number, at=NOON + minutes(observed), recorded_at=heard, sequence=sequence, state=state, place=place, type=str(sequence))


def oracle(story: list[Said], at: int | None, known: int | None, box: BBox | None) -> set[tuple[str, str]]:
    """Return (number, sequence) of what stood and was open: per call, the highest sequence of what was said by then."""
    stood: dict[str, Said] = {}
    for one in sorted(story, key=lambda one: one[1]):
        if (at is None or one[2] <= at) and (known is None or one[3] <= known):
            stood[one[0]] = one
    return {(one[0], str(one[1])) for one in stood.values() if one[4] != "closed" and holds(box, one[5])}


def holds(box: BBox | None, place: tuple[float, float] | None) -> bool:
    if box is None or place is None:
        return box is None
    west, south, east, north = box
    inside = west <= place[0] <= east if west <= east else place[0] >= west or place[0] <= east
    return inside and south <= place[1] <= north


def answer(cad: Source, at: int | None, known: int | None, box: BBox | None) -> set[tuple[str, str]]:
    """Ask in pages of two, as a reader with a small page would."""
    found = [properties(row) for row in pages(cad, time(at), time(known), box)]
    assert len({one["number"] for one in found}) == len(found)
    return {(one["number"], one["type"]) for one in found}


def time(count: int | None) -> datetime | None:
    return None if count is None else NOON + minutes(count)


def pages(cad: Source, at: datetime | None, known: datetime | None, box: BBox | None) -> Iterator[bytes | None]:
    after = (0, 0)
    while True:
        with connection.cursor() as cursor:
            rows = page(cursor, PageQuery([cad.agency_id], box, at, known, after, 2))
        yield from (row.geojson for row in rows)
        if len(rows) < 2:
            return
        after = (0, rows[-1].id)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120, deadline=None)
@given(story=stories, asked=questions)
@example(story=[("A", 1, 0, 0, "waiting", None), ("A", 2, 2, 5, "closed", None)], asked=[(3, 3, None), (None, 4, None), (5, 5, None)])
@example(story=[("A", 2, 1, 3, "closed", None), ("A", 1, 4, 4, "active", None)], asked=[(4, 4, None), (2, 2, None)])
@example(story=[("A", 1, 3, 1, "waiting", None), ("A", 2, 2, 2, "closed", None)], asked=[(3, 1, None), (4, 1, None), (4, None, None)])
def test_it_agrees_with_a_plain_reading_of_every_story(cad: Source, story: list[Said], asked: list[tuple[int, int, BBox]]) -> None:
    """Sequences, observation and recording are independent: late, corrected, reopened, recorded before they were observed."""
    tell(cad, story)
    asked = [one for one in asked if one[:2] != (None, None)]
    for kept in ("by trigger", "by the migration"):
        for at, known, box in asked:
            assert answer(cad, at, known, box) == oracle(story, at, known, box), kept
        CallStanding.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(FILL)


def candidates(at: datetime) -> int:
    return CallStanding.objects.filter(during__contains=at).count()


def test_only_what_can_have_been_open_is_looked_at(cad: Source) -> None:
    for number in range(30):
        say(cad, f"H-{number}", at=NOON + minutes(number))
        say(cad, f"H-{number}", at=NOON + minutes(number) + minutes(0.5), state="active")
        say(cad, f"H-{number}", at=NOON + minutes(number + 2), state="closed")
    assert candidates(NOON - minutes(1)) == 0
    assert candidates(NOON + minutes(10.2)) == 2
    assert candidates(NOON + minutes(40)) == 0


def test_a_late_statement_opens_no_call_for_good(cad: Source) -> None:
    say(cad, "A", at=NOON, sequence=1)
    say(cad, "A", at=NOON + minutes(9), sequence=5, state="closed")
    say(cad, "A", at=NOON + minutes(3), recorded_at=NOON + minutes(30), sequence=2, state="active")
    assert candidates(NOON + minutes(31)) == 0
    assert answer(cad, 3, None, None) == {("A", "")}
    assert answer(cad, 3, 29, None) == {("A", "")}


def test_a_call_that_is_reopened_again_and_again_is_looked_at_only_while_it_was_open(cad: Source) -> None:
    for day in range(20):
        say(cad, "A", at=NOON + minutes(1440 * day))
        say(cad, "A", at=NOON + minutes(1440 * day + 10), state="closed")
    assert candidates(NOON + minutes(1440 * 7 + 5)) == 1
    assert candidates(NOON + minutes(1440 * 7 + 15)) == 0


def test_what_was_said_of_a_call_is_never_changed(cad: Source) -> None:
    say(cad, "A", at=NOON)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        CallRevision.objects.update(state="closed")
    assert CallRevision.objects.get().state == "waiting"
