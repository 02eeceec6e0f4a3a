"""An agency with one of everything, each part named by a word that occurs nowhere else: who finds the word has seen the agency's data.

Digits of the place are a word too: no other agency has anything there.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import transaction

from apps.accounts.models import Agency
from apps.boundaries.models import Boundary
from apps.geofences.models import Fence
from apps.geofences.operations import Circle, make_fence
from apps.incidents.models import Call
from apps.ingest.models import Source
from apps.layers.revisions import publishing
from apps.retention.models import Hold, Proof
from apps.tracks.models import Track
from apps.units.operations import assign, unit
from tests.world import make_agency, make_member, make_source, make_track, minutes, move, say


@dataclass(frozen=True)
class Planted:
    """`word` is in names, numbers, addresses, codes; `places` are how its coordinates begin. `slug`, by which one asks, is another."""

    word: str
    slug: str
    lon: float
    lat: float
    agency: Agency
    source: Source
    track: Track
    call: Call
    fence: Fence
    boundary: Boundary
    hold: Hold

    @property
    def places(self) -> tuple[str, ...]:
        return f"{self.lon:.6f}", f"{self.lat:.6f}"

    @property
    def marks(self) -> tuple[str, ...]:
        return (self.word, *self.places)

    def fill(self, address: str) -> str:
        """Put the agency's slug and ids into an address such as /api/…?agency={slug}."""
        ids = {"track": self.track.pk, "call": self.call.pk, "fence": self.fence.pk, "boundary": self.boundary.pk, "hold": self.hold.pk}
        return address.format(slug=self.slug, agency=self.agency.pk, source=self.source.slug, lon=self.lon, lat=self.lat, **ids)


@transaction.atomic
def plant(role: str, *, at: datetime, seat: int) -> Planted:
    """Make the agency. `seat` moves its places: 41.<seat>7319 degrees north, -88.<seat>7319 west."""
    word, slug = f"{role}{uuid4().hex[:10]}", f"s{uuid4().hex[:10]}"
    lon, lat = round(-88 - (seat * 1e5 + 7319) / 1e6, 6), round(41 + (seat * 1e5 + 7319) / 1e6, 6)
    agency = make_agency(slug)
    Agency.objects.filter(pk=agency.pk).update(name=f"{word} Police")
    source = make_source(agency, f"{slug}-cad", name=f"{word} dispatch")
    track = make_track(source, f"{word}-veh", name=f"{word} car")
    assign(unit=unit(agency=agency, call_sign=word.upper()), track=track, at=at - minutes(30))
    move(track, at, lon, lat)
    said = {"address": f"1 {word} Street", "narrative": f"{word} was seen", "units": [word.upper()]}
    call = say(source, f"{word}-H1", at=at, place=(lon, lat), **said)
    fence = make_fence(agency=agency, name=f"{word} fence", area=Circle(lon, lat, 200.0), at=at)
    square = Polygon.from_bbox((lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01))
    square.srid = 4326
    with publishing() as publication:
        boundary = Boundary(
            agency=agency, kind="beat", code=word.upper(), name=f"{word} beat", geom=MultiPolygon(square, srid=4326), valid_from=at
        )
        boundary.save()
        publication.touch("boundaries", agency.pk, lambda rev: Boundary.objects.filter(pk=boundary.pk).update(rev=rev))
    hold = Hold.objects.create(
        agency=agency, case_number=f"{word}-case", reason=f"{word} order", classes=["calls"], starts_at=at - minutes(60), asked_at=at,
        asked_by=make_member(username=f"asks-{word}"), hold_until=at + minutes(60),
    )  # fmt: skip
    Proof.objects.create(
        day=date(2026, 3, 1), generation=1, data_class="calls", table="incidents_call", agency_id=agency.pk, keep_s=86_400, removed=0,
        kept=1, overdue=0, held=0, counted_at=at,
    )  # fmt: skip
    return Planted(word, slug, lon, lat, agency, source, track, call, fence, boundary, hold)
