"""Set up the demonstration: Harbor City's agency, boundaries, fences, base map, and the sources of its simulated patrol."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from apps.accounts.models import Agency, Origin
from apps.accounts.operations import make_agency
from apps.boundaries.operations import load
from apps.demo import basemap, places, town
from apps.demo.sources import Wanted, ensure
from apps.geofences.models import Fence
from apps.geofences.operations import make_fence
from apps.layers.registry import names

SLUG = "harbor"
SOURCES = (
    Wanted("patrol", "Patrol vehicles", "fixes", Origin.SIMULATED, interval_s=2),
    Wanted("dispatch", "Dispatch", "calls_json", Origin.SIMULATED, interval_s=60),
)


def prepare(*, at: datetime, state_folder: Path) -> None:
    """Make what is missing; a second run changes nothing."""
    state_folder.mkdir(parents=True, exist_ok=True)
    agency = Agency.objects.filter(slug=SLUG).first() or new_agency()
    with tempfile.TemporaryDirectory() as folder:
        load_boundaries(agency, Path(folder), at)
    if not Fence.objects.filter(agency=agency).exists():
        for place in places.all_places():
            make_fence(agency=agency, name=place.name, category=place.category, area=place.area, at=at)
    for wanted in SOURCES:
        ensure(wanted, agency=agency, state_folder=state_folder, at=at)
    basemap.write(state_folder / "basemap.geojson")


def new_agency() -> Agency:
    agency = make_agency(slug=SLUG, name="Harbor City Police (simulated)", layers=names(), time_zone="America/Chicago")
    whole = shapely.union_all([district.polygon for district in town.districts()])
    agency.area = MultiPolygon(polygon(town.in_degrees(shapely.convex_hull(whole).buffer(800))), srid=4326)
    agency.save(update_fields=["area"])
    return agency


def polygon(shape: BaseGeometry) -> Polygon:
    geometry = GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=4326)
    assert isinstance(geometry, Polygon)
    return geometry


def load_boundaries(agency: Agency, folder: Path, at: datetime) -> None:
    for kind, areas in (("district", town.districts()), ("beat", town.beats())):
        file = folder / f"{kind}s.geojson"
        basemap.write_features(file, [coded(area) for area in areas])
        load(path=file, agency=agency, kind=kind, code_field="code", name_field="name", valid_from=at)


def coded(area: town.Area) -> dict[str, Any]:
    """Return the area as a feature: "3 Northwest" has the code 3 and the name Northwest, a beat has its code for a name."""
    code, _, name = area.name.partition(" ")
    feature = basemap.feature(name or code, area.kind, area.polygon)
    feature["properties"]["code"] = code
    return feature
