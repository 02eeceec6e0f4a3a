"""The layer of calls: what is open now, what was open at a past time, and what a replica lacks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import Agency
from apps.boundaries.models import Boundary
from apps.incidents.layers import changed, page
from apps.ingest.models import Source
from apps.layers.definition import FeatureRow, PageQuery
from apps.layers.window import BBox
from tests.world import NOON, make_agency, make_source, minutes, properties, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def agency() -> Agency:
    return make_agency()


@pytest.fixture
def cad(agency: Agency) -> Source:
    return make_source(agency)


def read(
    agency: Agency,
    *,
    at: datetime | None = None,
    known: datetime | None = None,
    bbox: BBox | None = None,
    after: tuple[int, int] = (0, 0),
    limit: int = 100,
) -> list[FeatureRow]:
    with connection.cursor() as cursor:
        return page(cursor, PageQuery([agency.pk], bbox, at, known, after, limit))


def replica(agency: Agency, after_rev: int) -> list[FeatureRow]:
    with connection.cursor() as cursor:
        return changed(cursor, agency.pk, after_rev)


def numbers(rows: Sequence[FeatureRow]) -> list[str]:
    return [properties(row.geojson)["number"] for row in rows]


def test_now_it_holds_the_open_calls_in_order_of_change(agency: Agency, cad: Source) -> None:
    say(cad, "A", at=NOON)
    say(cad, "B", at=NOON)
    say(cad, "C", at=NOON)
    say(cad, "A", at=NOON + minutes(1), state="active")
    say(cad, "B", at=NOON + minutes(2), state="closed")
    assert numbers(read(agency)) == ["C", "A"]


def test_the_past_shows_what_was_open_then(agency: Agency, cad: Source) -> None:
    say(cad, "A", at=NOON)
    say(cad, "A", at=NOON + minutes(10), state="active", type="Burglary")
    say(cad, "A", at=NOON + minutes(20), state="closed")
    assert read(agency, at=NOON - minutes(1)) == []
    assert properties(read(agency, at=NOON)[0].geojson)["state"] == "waiting"
    assert properties(read(agency, at=NOON + minutes(9))[0].geojson)["type"] == ""
    assert properties(read(agency, at=NOON + minutes(10))[0].geojson)["type"] == "Burglary"
    assert numbers(read(agency, at=NOON + minutes(19))) == ["A"]
    assert read(agency, at=NOON + minutes(20)) == []


def test_what_was_known_is_bound_by_its_recording(agency: Agency, cad: Source) -> None:
    say(cad, "A", at=NOON, recorded_at=NOON + minutes(5))
    say(cad, "A", at=NOON + minutes(1), recorded_at=NOON + minutes(30), state="closed")
    assert read(agency, at=NOON + minutes(2), known=NOON + minutes(4)) == []
    assert numbers(read(agency, at=NOON + minutes(2), known=NOON + minutes(5))) == ["A"]
    assert read(agency, at=NOON + minutes(2), known=NOON + minutes(30)) == []
    assert read(agency, known=NOON + minutes(30)) == []
    assert numbers(read(agency, known=NOON + minutes(29))) == ["A"]


def test_a_known_answer_does_not_change_when_more_is_said(agency: Agency, cad: Source) -> None:
    say(cad, "A", at=NOON)
    say(cad, "B", at=NOON)
    then = NOON + minutes(1)
    before = [row.geojson for row in read(agency, at=then, known=then)]
    say(cad, "A", at=NOON + minutes(2), state="closed")
    say(cad, "B", at=NOON - minutes(2), recorded_at=NOON + minutes(3), type="late")
    say(cad, "C", at=NOON - minutes(1), recorded_at=NOON + minutes(4))
    assert [row.geojson for row in read(agency, at=then, known=then)] == before


def test_of_one_moment_the_higher_sequence_counts(agency: Agency, cad: Source) -> None:
    say(cad, "A", at=NOON, sequence=1, type="first")
    say(cad, "A", at=NOON, sequence=2, type="second")
    assert properties(read(agency, at=NOON)[0].geojson)["type"] == "second"


def test_the_past_follows_the_sources_sequence_as_the_present_does(agency: Agency, cad: Source) -> None:
    say(cad, "A", at=NOON + minutes(5), sequence=1, type="first")
    say(cad, "A", at=NOON, sequence=2, type="second")
    assert properties(read(agency)[0].geojson)["type"] == "second"
    assert properties(read(agency, at=NOON + minutes(6))[0].geojson)["type"] == "second"


def test_a_box_holds_what_is_in_it_and_nothing_unlocated(agency: Agency, cad: Source) -> None:
    say(cad, "in", at=NOON, place=(-95.5, 29.5))
    say(cad, "out", at=NOON, place=(-90, 29.5))
    say(cad, "nowhere", at=NOON, place=None)
    box = (-96.0, 29.0, -95.0, 30.0)
    assert numbers(read(agency, bbox=box)) == numbers(read(agency, bbox=box, at=NOON)) == ["in"]
    assert numbers(read(agency)) == numbers(read(agency, at=NOON)) == ["in", "out", "nowhere"]


def test_a_box_may_cross_the_antimeridian(agency: Agency, cad: Source) -> None:
    say(cad, "west", at=NOON, place=(179.5, 0))
    say(cad, "east", at=NOON, place=(-179.5, 0))
    say(cad, "between", at=NOON, place=(0, 0))
    assert numbers(read(agency, bbox=(179, -1, -179, 1))) == ["west", "east"]


def test_it_tells_the_boundaries(agency: Agency, cad: Source) -> None:
    square = "MULTIPOLYGON(((-96 29, -95 29, -95 30, -96 30, -96 29)))"
    beat = Boundary.objects.create(agency=agency, kind="beat", code="12", name="Twelve", geom=square, valid_from=NOON)
    say(cad, "A", at=NOON, boundaries=[beat.pk])
    told = [{"kind": "beat", "code": "12", "name": "Twelve"}]
    assert properties(read(agency)[0].geojson)["boundaries"] == told
    assert properties(read(agency, at=NOON)[0].geojson)["boundaries"] == told


def test_a_new_replica_gets_what_is_open(agency: Agency, cad: Source) -> None:
    say(cad, "A", at=NOON)
    say(cad, "B", at=NOON, state="closed")
    assert numbers(replica(agency, 0)) == ["A"]


def test_a_replica_gets_what_changed_and_what_closed(agency: Agency, cad: Source) -> None:
    old = say(cad, "A", at=NOON)
    closing = say(cad, "B", at=NOON)
    seen = closing.rev
    say(cad, "B", at=NOON + minutes(1), state="closed")
    new = say(cad, "C", at=NOON + minutes(1))
    rows = replica(agency, seen)
    assert [(row.id, row.geojson is None) for row in rows] == [(closing.pk, True), (new.pk, False)]
    assert old.pk not in {row.id for row in rows}


def test_another_agencys_calls_are_not_in_it(agency: Agency, cad: Source) -> None:
    say(make_source(make_agency("other"), "other-cad"), "X", at=NOON)
    assert read(agency) == read(agency, at=NOON) == replica(agency, 0) == []


Said = tuple[int, int, str]
stories = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(["waiting", "active", "closed"])), max_size=6, unique_by=lambda s: s[0]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(story=stories, at=st.integers(0, 6), lag=st.integers(0, 12))
def test_it_agrees_with_a_plain_reading_of_the_story(agency: Agency, cad: Source, story: list[Said], at: int, lag: int) -> None:
    """What was open at a time is decided by the newest thing said by then, of what was recorded by then."""
    from apps.incidents.models import Call, CallRevision

    CallRevision.objects.all().delete()
    Call.objects.all().delete()
    for minute, delay, state in story:
        say(cad, "A", at=NOON + minutes(minute), recorded_at=NOON + minutes(minute + delay), state=state)
    known = at + lag
    heard = sorted((m, state) for m, delay, state in story if m <= at and m + delay <= known)
    expected = bool(heard) and heard[-1][1] != "closed"
    rows = read(agency, at=NOON + minutes(at), known=NOON + timedelta(minutes=known))
    assert bool(rows) is expected
