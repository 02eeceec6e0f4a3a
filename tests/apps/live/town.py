"""An agency of its own for each test: units and calls in the database, with hints as the test wants them."""

from datetime import UTC, datetime
from uuid import uuid4

from django.db import connection, transaction

from apps.accounts import operations
from apps.accounts.models import Member, Role
from apps.incidents.layers import changed
from apps.incidents.models import Call
from apps.layers.hints import LayerChange, publish
from apps.layers.models import LayerRevision, Tombstone
from apps.tracks.models import Track
from apps.units.layers import positions_after
from tests.world import make_agency, make_member, make_source, make_track, move, next_rev, say

Place = tuple[float, float]
DOWNTOWN: Place = (-95.36, 29.76)
WEST: Place = (-95.56, 29.76)


def fresh(word: str) -> str:
    return f"{word}-{uuid4().hex[:8]}"


class Town:
    def __init__(self) -> None:
        self.agency = make_agency(fresh("town"))
        self.source = make_source(self.agency, slug=fresh("cars"))
        self.places: dict[int, tuple[int, int]] = {}

    @property
    def id(self) -> int:
        return int(self.agency.pk)

    def member(self, role: str = Role.DISPATCHER) -> Member:
        return make_member(self.agency, role, username=fresh("member"))

    def rev(self, layer: str) -> int:
        return int(LayerRevision.objects.get(layer=layer, agency=self.agency).rev)

    def unit(self, place: Place = DOWNTOWN, *, hints: bool = True) -> Track:
        track = make_track(self.source, fresh("veh"))
        self.drive(track, place, hints=hints)
        return track

    def drive(self, track: Track, place: Place, *, hints: bool = True) -> LayerChange:
        """Move a unit in one transaction. Return the hint, which is published when wanted."""
        with transaction.atomic():
            move(track, datetime.now(UTC), *place, status=3)
        rev = self.rev("units")
        with connection.cursor() as cursor:
            change = LayerChange("units", self.id, rev - 1, rev, positions_after(cursor, self.id, rev - 1).tobytes())
        self.places[track.pk] = (round(place[0] * 1e7), round(place[1] * 1e7))
        if hints:
            publish([change])
        return change

    def remove(self, track: Track) -> None:
        with transaction.atomic():
            rev = next_rev("units", self.agency)
            Tombstone.objects.create(layer="units", agency=self.agency, feature_id=track.pk, rev=rev, removed_at=datetime.now(UTC))
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM tracks_position WHERE track_id = %s", [track.pk])
        del self.places[track.pk]
        publish([LayerChange("units", self.id, rev - 1, rev, None)])

    def call(self, number: str, *, hints: bool = True, **facts: object) -> Call:
        with transaction.atomic():
            call = say(self.source, number, at=datetime.now(UTC), **facts)  # type: ignore[arg-type]
        with connection.cursor() as cursor:
            rows = [(row.id, row.geojson) for row in changed(cursor, self.id, call.rev - 1)]
        if hints:
            publish([LayerChange("calls", self.id, call.rev - 1, call.rev, rows)])
        return call

    def numbers(self) -> set[str]:
        """Return the numbers of the calls that are open, from the database."""
        return set(Call.objects.filter(agency=self.agency).exclude(state="closed").values_list("number", flat=True))


def withdraw(town: Town, layer: str, role: str = Role.DISPATCHER) -> None:
    """Take a layer of the town from one of its own roles."""
    for grant in town.agency.held_grants.filter(layer=layer, role=role, agency=town.agency):
        operations.withdraw_grant(grant=grant)
