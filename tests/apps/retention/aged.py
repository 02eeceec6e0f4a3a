"""An agency whose every table has rows of any age, and turns of retention at any time."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import connection

from apps.accounts.models import Agency, Member, Role
from apps.geofences.models import Fence, FenceRevision, Presence, Transition
from apps.incidents.models import Call
from apps.ingest.models import Outcome, Post, Reject, Source
from apps.layers.models import Tombstone
from apps.retention import operations
from apps.retention.models import Hold, Rule
from apps.retention.turn import Done, take_turn
from apps.tracks.models import Track
from apps.units.models import Assignment, Unit
from tests import world

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SQUARE = MultiPolygon(Polygon.from_bbox((-95.37, 29.75, -95.35, 29.77)), srid=4326)
QUEUE = """
    INSERT INTO ingest_inbound (shard, source_id, post_id, received_us, count, parcel) VALUES (3, %s, %s, %s, 1, 'x')
"""


class Town:
    def __init__(self, slug: str = "metro") -> None:
        self.agency: Agency = world.make_agency(slug)
        self.chief: Member = world.make_member(self.agency, Role.ADMINISTRATOR, f"chief-{slug}")
        self.deputy: Member = world.make_member(self.agency, Role.ADMINISTRATOR, f"deputy-{slug}")
        self.source: Source = world.make_source(self.agency, f"{slug}-src")
        self.track: Track = world.make_track(self.source, f"{slug}-car")
        self.unit = Unit.objects.create(agency=self.agency, call_sign="4A12")

    def fix(self, at: datetime, lon: float = -95.36, lat: float = 29.76, track: Track | None = None) -> None:
        """One place of the car, in a day's partition as the pipeline names them."""
        world.make_day(at)
        with connection.cursor() as cursor:
            values = {
                "track": (track or self.track).pk, "agency": self.agency.pk, "at": at, "received": at, "recorded": at, "lon": lon,
                "lat": lat,
                "speed": 3.0, "heading": None, "status": 0, "offset": 0, "boundaries": None, "rev": world.next_rev("units", self.agency),
            }  # fmt: skip
            cursor.execute(world.FIX, values)
            cursor.execute(world.LATEST, values)

    def post(self, at: datetime, *, quarantined: bool = False) -> UUID:
        """A message with an outcome, a reject, and a row that still waits."""
        post = uuid4()
        Post.objects.create(id=post, source=self.source, received_at=at, raw=b"raw", accepted=1, rejected=1)
        Outcome.objects.create(post_id=post, index=0, outcome="late")
        Reject.objects.create(
            post_id=post, source=self.source, index=1, reason="future", part=b"part", quarantined=quarantined, received_at=at
        )
        with connection.cursor() as cursor:
            cursor.execute(QUEUE, [self.source.pk, post, int(at.timestamp() * 1e6)])
        return post

    def call(self, number: str, at: datetime, *, closed: bool = True) -> Call:
        world.say(self.source, number, at=at - timedelta(minutes=30), narrative="a name")
        if closed:
            return world.say(self.source, number, at=at, state="closed", closed_at=at, opened_at=at - timedelta(minutes=30))
        return world.say(self.source, number, at=at, state="active")

    def fence(self, name: str, *, removed_at: datetime | None = None) -> Fence:
        shape = {"name": name, "shape": "polygon", "geom": SQUARE, "active_from": NOW - 4000 * DAY}
        fence = Fence.objects.create(agency=self.agency, removed_at=removed_at, **shape)
        FenceRevision.objects.create(fence=fence, recorded_at=NOW - 4000 * DAY, **shape)
        return fence

    def cross(self, fence: Fence, at: datetime) -> None:
        Transition.objects.create(track=self.track, fence=fence, kind="enter", entered_at=at, observed_at=at, recorded_at=at)
        Presence.objects.get_or_create(track=self.track, fence=fence, defaults={"entered_at": at})

    def duty(self, start: datetime, end: datetime | None) -> Assignment:
        return Assignment.objects.create(unit=self.unit, track=self.track, starts_at=start, ends_at=end, recorded_at=start, crew=["J. Doe"])

    def everything(self, at: datetime) -> None:
        """One row or more of each class, all of that age."""
        self.fix(at)
        self.post(at)
        self.post(at, quarantined=True)
        self.call(f"C-{at:%y%m%d%H%M}", at)
        self.cross(self.fence(f"{at:%y%m%d%H%M}", removed_at=at), at)
        self.duty(at - timedelta(hours=8), at)
        Tombstone.objects.create(layer="units", agency=self.agency, feature_id=1, rev=1, removed_at=at)

    def rule(self, name: str, keep: timedelta, *, at: datetime = NOW) -> Rule:
        return operations.make_rule(
            data_class=name, agency=self.agency, keep=keep, legal_source="Records schedule 4.2", valid_from=at, by=self.chief, at=at
        )

    def hold(self, *classes: str, at: datetime = NOW, **facts: Any) -> Hold:
        given = {
            "case_number": "26-1042", "reason": "court order", "starts_at": NOW - 4100 * DAY, "ends_before": None,
            "hold_until": NOW + 400 * DAY, **facts,
        }  # fmt: skip
        return operations.ask_hold(agency=self.agency, data_classes=classes, by=self.chief, at=at, **given)


def turn(at: datetime = NOW, **more: Any) -> Done:
    """A turn at an instance time; the real time, by which sign-in ages, stays at NOW."""
    done = take_turn(at=at, real=NOW, process="test", **more)
    assert done is not None
    return done


def rows(table: str, where: str = "TRUE") -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {where}")
        return int(cursor.fetchone()[0])


REFUSE = """
    CREATE OR REPLACE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'it is evidence' USING ERRCODE = 'lock_not_available'; END $$;
    CREATE TRIGGER refuse_removal BEFORE DELETE ON {table} EXECUTE FUNCTION refuse_removal();
"""


def refuse(table: str) -> None:
    """Let PostgreSQL refuse every removal from a table, until `allow`."""
    with connection.cursor() as cursor:
        cursor.execute(REFUSE.format(table=table))


def allow(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER refuse_removal ON {table}")


TABLES = (
    "tracks_fix", "tracks_position", "ingest_post", "ingest_outcome", "ingest_reject", "ingest_inbound", "incidents_call",
    "incidents_callrevision", "incidents_callstanding", "geofences_fence", "geofences_fencerevision", "geofences_transition",
    "geofences_presence", "units_assignment", "layers_tombstone",
)  # fmt: skip


def all_rows() -> "Counter[str]":
    return +Counter({table: rows(table) for table in TABLES})
