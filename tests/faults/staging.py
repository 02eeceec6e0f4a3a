"""Fill an empty database for the fault tests and print as JSON what the test process has to know. Run in the system's environment."""

import json
import os
import random
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rtcc_geo.settings")
CENTER = (-95.36, 29.76)
FENCES = 30
MEMBERS = 10


def main() -> None:
    django.setup()
    from apps.accounts.models import Instance, InstanceKind

    Instance.objects.get_or_create(defaults={"kind": InstanceKind.DEMO})
    north, south = make_agency("north"), make_agency("south")
    staged = {
        "agencies": {"north": north.pk, "south": south.pk},
        "keys": {slug: make_source(agency, slug, adapter) for agency, slug, adapter in sources(north, south)},
        "sessions": make_sessions([north, south]),
    }
    make_fences([north, south])
    json.dump(staged, sys.stdout)


def sources(north: Any, south: Any) -> list[tuple[Any, str, str]]:
    return [(north, "north-gps", "fixes"), (south, "south-gps", "fixes"), (north, "north-cad", "calls_json")]


def make_agency(slug: str) -> Any:
    from apps.accounts import operations
    from apps.layers.registry import names

    return operations.make_agency(slug=slug, name=slug.title(), layers=names(), time_zone="America/Chicago")


def make_source(agency: Any, slug: str, adapter: str) -> str:
    """Return the source's key."""
    from apps.accounts.models import Instance, InstanceKind, Origin
    from apps.accounts.operations import make_key
    from apps.ingest.models import Source, SourceKey

    origin = Origin.SIMULATED if Instance.objects.get().kind == InstanceKind.DEMO else Origin.LIVE
    source = Source.objects.create(agency=agency, slug=slug, name=slug, adapter=adapter, origin=origin, interval_s=1)
    key = make_key(agency=agency)
    SourceKey.objects.create(key=key.key, source=source)
    return key.text


def make_sessions(agencies: list[Any]) -> list[dict[str, Any]]:
    """One in three members sees the first agency only, one the second only, one both. Five sessions each."""
    from apps.accounts.models import Member, Role
    from apps.accounts.operations import join

    sessions = []
    for number in range(MEMBERS):
        member = Member.objects.create_user(username=f"watcher-{number}")
        seen = [agency for place, agency in enumerate(agencies) if number % 3 != 1 - place]
        for agency in seen:
            join(member=member, agency=agency, role=Role.DISPATCHER)
        sessions += [{"key": session_of(member), "agencies": [agency.pk for agency in seen]} for _ in range(5)]
    return sessions


def session_of(member: Any) -> str:
    from tests.live_map import sign_in

    return sign_in(member).partition("=")[2]


def make_fences(agencies: list[Any]) -> None:
    """Circles and crooked polygons over the place where the tracks wander."""
    from django.contrib.gis.geos import Polygon

    from apps.geofences.operations import Circle, make_fence

    rng = random.Random(7)
    since = datetime.now(UTC) - timedelta(days=2)
    for number in range(FENCES):
        lon, lat = CENTER[0] + rng.uniform(-0.03, 0.03), CENTER[1] + rng.uniform(-0.03, 0.03)
        area: Any = Circle(lon, lat, rng.uniform(150, 900))
        if number % 2:
            ring = [(lon + rng.uniform(-0.002, 0.002) + dx, lat + rng.uniform(-0.002, 0.002) + dy) for dx, dy in CORNERS]
            area = Polygon([*ring, ring[0]], srid=4326)
        make_fence(agency=agencies[number % 3 == 2], name=f"Fence {number}", area=area, at=since)


CORNERS = ((-0.006, -0.005), (0.001, -0.008), (0.007, -0.002), (0.004, 0.006), (-0.005, 0.004))

if __name__ == "__main__":
    main()
