"""Putting devices on units."""

import pytest

from apps.accounts.models import Agency
from apps.layers.models import LayerRevision
from apps.tracks.models import Track
from apps.units.models import Assignment
from apps.units.operations import EndsBeforeStart, ForeignTrack, assign, end_assignment, unit
from tests.world import NOON, make_agency, make_source, make_track, minutes

pytestmark = pytest.mark.django_db


@pytest.fixture
def agency() -> Agency:
    return make_agency()


@pytest.fixture
def track(agency: Agency) -> Track:
    return make_track(make_source(agency))


def head(agency: Agency) -> int:
    return LayerRevision.objects.filter(layer="units", agency=agency).values_list("rev", flat=True).first() or 0


def test_a_call_sign_is_made_once(agency: Agency) -> None:
    assert unit(agency=agency, call_sign="4A12") == unit(agency=agency, call_sign="4A12")


def test_an_assignment_starts_and_the_layer_changes(agency: Agency, track: Track) -> None:
    made = assign(unit=unit(agency=agency, call_sign="4A12"), track=track, at=NOON, beat="12")
    assert (made.starts_at, made.ends_at, made.recorded_at, made.beat) == (NOON, None, NOON, "12")
    track.refresh_from_db()
    assert track.rev == head(agency) == 1


def test_the_same_again_changes_nothing(agency: Agency, track: Track) -> None:
    wanted = unit(agency=agency, call_sign="4A12")
    first = assign(unit=wanted, track=track, at=NOON)
    assert assign(unit=wanted, track=track, at=NOON + minutes(1)) == first
    assert head(agency) == 1


def test_a_device_is_on_one_unit_at_a_time(agency: Agency, track: Track) -> None:
    first = assign(unit=unit(agency=agency, call_sign="4A12"), track=track, at=NOON)
    assign(unit=unit(agency=agency, call_sign="9Z1"), track=track, at=NOON + minutes(5))
    first.refresh_from_db()
    assert first.ends_at == NOON + minutes(5)
    assert Assignment.objects.get(ends_at=None).unit.call_sign == "9Z1"


def test_ending_twice_keeps_the_first_end(agency: Agency, track: Track) -> None:
    held = assign(unit=unit(agency=agency, call_sign="4A12"), track=track, at=NOON)
    end_assignment(assignment=held, at=NOON + minutes(1))
    end_assignment(assignment=held, at=NOON + minutes(9))
    held.refresh_from_db()
    assert held.ends_at == NOON + minutes(1)
    assert head(agency) == 2


def test_a_foreign_device_is_refused(agency: Agency) -> None:
    foreign = make_track(make_source(make_agency("other"), "other-gps"))
    with pytest.raises(ForeignTrack):
        assign(unit=unit(agency=agency, call_sign="4A12"), track=foreign, at=NOON)
    assert not Assignment.objects.exists()


def test_an_end_before_the_start_is_refused(agency: Agency, track: Track) -> None:
    held = assign(unit=unit(agency=agency, call_sign="4A12"), track=track, at=NOON)
    with pytest.raises(EndsBeforeStart):
        end_assignment(assignment=held, at=NOON - minutes(1))
    held.refresh_from_db()
    assert held.ends_at is None
    assert head(agency) == 1
