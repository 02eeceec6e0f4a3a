"""Writes to call signs and their devices. Each makes the hubs introduce the devices again."""

from datetime import datetime

from django.db import transaction

from apps.accounts.models import Agency
from apps.audit.operations import record
from apps.layers.revisions import Publication, publishing
from apps.tracks.models import Track
from apps.units.models import Assignment, Unit

LAYER = "units"


class ForeignTrack(Exception):
    """The device belongs to another agency than the unit."""


class EndsBeforeStart(Exception):
    """An assignment may not end before it starts."""


@transaction.atomic
def unit(*, agency: Agency, call_sign: str, kind: str = "patrol") -> Unit:
    """Return the agency's unit of that call sign, made if there is none."""
    found, is_new = Unit.objects.get_or_create(agency=agency, call_sign=call_sign, defaults={"kind": kind})
    if is_new:
        record("unit_made", target=f"unit:{found.pk}", agency_id=agency.pk, detail={"name": call_sign})
    return found


def assign(*, unit: Unit, track: Track, at: datetime, vehicle: str = "", shift: str = "", beat: str = "") -> Assignment:
    """Put a device on a unit from `at` on; what the device was on before ends then. Locks the track row.

    A device that is on this unit already stays as it is. Raises ForeignTrack, EndsBeforeStart.
    """
    if unit.agency_id != track.agency_id:
        raise ForeignTrack(f"{track} is not a device of {unit.agency}")
    with publishing() as publication:
        Track.objects.select_for_update().get(pk=track.pk)
        held = Assignment.objects.filter(track=track, ends_at=None).first()
        if held and held.unit_id == unit.pk:
            return held
        if held:
            _end(held, at)
            _record("device_taken_off", held)
        made = Assignment.objects.create(
            unit=unit, track=track, vehicle=vehicle, shift=shift, beat=beat, starts_at=at, recorded_at=at
        )
        _record("device_assigned", made)
        _introduce_again(publication, track)
    return made


def end_assignment(*, assignment: Assignment, at: datetime) -> None:
    """Take the device off its unit. An ended assignment stays as it is. Locks the track row. Raises EndsBeforeStart."""
    with publishing() as publication:
        track = Track.objects.select_for_update().get(pk=assignment.track_id)
        held = Assignment.objects.get(pk=assignment.pk)
        if held.ends_at is None:
            _end(held, at)
            _record("device_taken_off", held)
            _introduce_again(publication, track)


def _end(held: Assignment, at: datetime) -> None:
    if at < held.starts_at:
        raise EndsBeforeStart(f"{held.unit} holds the device since {held.starts_at:%Y-%m-%d %H:%M:%S}, later than {at:%H:%M:%S}")
    held.ends_at = at
    held.save(update_fields=["ends_at"])


def _record(act: str, held: Assignment) -> None:
    facts = {"unit": held.unit.call_sign, "device": held.track.name or held.track.identity}
    record(act, target=f"unit:{held.unit_id}", agency_id=held.unit.agency_id, detail=facts)


def _introduce_again(publication: Publication, track: Track) -> None:
    def write(rev: int) -> None:
        Track.objects.filter(pk=track.pk).update(rev=rev)

    publication.touch(LAYER, track.agency_id, write)
