"""Builders of what tests look at: agencies, members, sources, devices and calls in the real tables."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.gis.geos import Point
from django.db import connection
from django.test import Client

from apps.accounts import operations
from apps.accounts.models import Agency, Instance, InstanceKind, Member, Origin, Role
from apps.geo.cells import cell_of
from apps.geo.shards import shard_of
from apps.incidents.models import Call, CallFacts, CallRevision
from apps.ingest.models import Source
from apps.layers.models import LayerRevision
from apps.layers.registry import names
from apps.tracks.models import Track

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "a long enough pass phrase"
SECRET = "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"
FACTS = [field.name for field in CallFacts._meta.get_fields()]


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def make_instance(kind: str = InstanceKind.OPERATIONAL) -> Instance:
    return Instance.objects.get_or_create(id=1, defaults={"kind": kind})[0]


def make_agency(slug: str = "metro") -> Agency:
    return operations.make_agency(slug=slug, name=slug.title(), layers=names(), time_zone="America/Chicago")


def make_member(
    agency: Agency | None = None, role: str = Role.DISPATCHER, username: str = "dana", *, second_factor: bool = True
) -> Member:
    """Make a member with an authenticator app, without which an operational instance gives no role."""
    member = operations.make_member(username=username, password=PASSWORD)
    if second_factor:
        give_app(member)
    if agency:
        operations.join(member=member, agency=agency, role=role)
    return member


def make_administrator(username: str = "root") -> Member:
    """Make who administers the instance, with an authenticator app."""
    member = operations.make_administrator(username=username, password=PASSWORD)
    give_app(member)
    return member


def give_app(member: Member) -> None:
    """Set up an authenticator app whose first code is that of now."""
    app = TOTP.activate(member, SECRET).instance
    app.data["counter"] = -1
    app.save()


def code_at(seconds: float) -> str:
    """Return what the app of `make_member` shows at a time in seconds since 1970."""
    return format_hotp_value(hotp_value(SECRET, int(seconds) // 30))


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    return client


def make_source(agency: Agency, slug: str = "cad", **facts: Any) -> Source:
    return Source.objects.create(agency=agency, slug=slug, **{"name": slug, "adapter": "fixes", "origin": Origin.LIVE, **facts})


def next_rev(layer: str, agency: Agency) -> int:
    row, _ = LayerRevision.objects.get_or_create(layer=layer, agency=agency)
    LayerRevision.objects.filter(layer=layer, agency=agency).update(rev=row.rev + 1)
    return row.rev + 1


def say(
    source: Source,
    number: str,
    *,
    at: datetime,
    recorded_at: datetime | None = None,
    place: tuple[float, float] | None = (-95.36, 29.76),
    **facts: Any,
) -> Call:
    """Add a revision to a call (made if new); the call shows its revision of the highest sequence."""
    sequence = int(at.timestamp() * 1_000_000)
    said = {
        "sequence": sequence,
        "observed_at": at,
        "received_at": recorded_at or at,
        "recorded_at": recorded_at or at,
        "state": "waiting",
        "opened_at": at,
        "geom": Point(*place, srid=4326) if place else None,
        **facts,
    }
    call = Call.objects.filter(source_id=source.pk, number=number).first() or Call(
        agency=source.agency,
        source_id=source.pk,
        number=number,
        origin=source.origin,
        shard=shard_of(f"{source.pk}:{number}"),
    )
    if call.pk is None or call.sequence < said["sequence"]:
        for name, value in said.items():
            setattr(call, name, value)
    call.cell = cell_of(call.geom.x, call.geom.y) if call.geom else None
    call.rev = next_rev("calls", source.agency)
    call.save()
    CallRevision.objects.create(call=call, **said)
    return call


def make_track(source: Source, identity: str = "veh-1", **facts: Any) -> Track:
    shard = shard_of(f"{source.pk}:{identity}")
    return Track.objects.create(
        agency=source.agency, source_id=source.pk, identity=identity, origin=source.origin, shard=shard, **{"rev": 1, **facts}
    )


def make_day(day: datetime) -> None:
    """Make the partition of a day of fixes."""
    start = day.replace(hour=0, minute=0, second=0, microsecond=0)
    name = f"tracks_fix_{start:%Y_%m_%d}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF tracks_fix "
            f"FOR VALUES FROM ('{start.isoformat()}') TO ('{(start + timedelta(days=1)).isoformat()}')"
        )


FIX = """
    INSERT INTO tracks_fix (track_id, observed_at, received_at, recorded_at, geom, speed_mps, heading_deg, status, clock_offset_ms)
    VALUES (%(track)s, %(at)s, %(received)s, %(recorded)s, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326), %(speed)s, %(heading)s,
        %(status)s, %(offset)s)
"""
LATEST = """
    WITH newer AS (
        UPDATE tracks_position SET observed_at = %(at)s, received_at = %(received)s, recorded_at = %(recorded)s,
            geom = ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326), speed_mps = %(speed)s, rev = %(rev)s
        WHERE track_id = %(track)s AND observed_at < %(at)s
    )
    INSERT INTO tracks_position
        (track_id, agency_id, observed_at, received_at, recorded_at, geom, speed_mps, heading_deg, status, clock_offset_ms, boundaries, rev)
    SELECT %(track)s, %(agency)s, %(at)s, %(received)s, %(recorded)s, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326), %(speed)s,
        %(heading)s, %(status)s, %(offset)s, %(boundaries)s::bigint[], %(rev)s
    WHERE NOT EXISTS (SELECT FROM tracks_position WHERE track_id = %(track)s)
"""


def move(
    track: Track,
    at: datetime,
    lon: float,
    lat: float,
    *,
    recorded_at: datetime | None = None,
    speed_mps: float | None = None,
    heading_deg: float | None = None,
    status: int = 0,
    clock_offset_ms: int = 0,
    boundaries: Sequence[int] | None = None,
) -> None:
    """Add a fix to history and, when it is the newest, to the latest positions."""
    make_day(at)
    values = {
        "track": track.pk,
        "agency": track.agency_id,
        "at": at,
        "received": recorded_at or at,
        "recorded": recorded_at or at,
        "lon": lon,
        "lat": lat,
        "speed": speed_mps,
        "heading": heading_deg,
        "status": status,
        "offset": clock_offset_ms,
        "boundaries": list(boundaries) if boundaries is not None else None,
        "rev": next_rev("units", track.agency),
    }
    with connection.cursor() as cursor:
        cursor.execute(FIX, values)
        cursor.execute(LATEST, values)


def properties(encoded: bytes | None) -> dict[str, Any]:
    assert encoded is not None
    found: dict[str, Any] = orjson.loads(encoded)["properties"]
    return found
