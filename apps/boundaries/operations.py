"""Load boundaries: a file holds all areas of one kind, valid from a day on."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon

from apps.accounts.models import Agency
from apps.audit.operations import record
from apps.boundaries.models import Boundary
from apps.boundaries.reading import Area, BadArea, UnreadableBoundaries, read
from apps.layers.revisions import publishing

LAYER = "boundaries"


class OlderThanCurrent(ValueError):
    """The file is to be valid from before the versions that it would replace."""


@dataclass
class Loaded:
    """What a file did: versions made, left as they were, ended (each replaced or no longer listed), and what was refused."""

    made: int = 0
    unchanged: int = 0
    ended: int = 0
    rejected: list[BadArea] = field(default_factory=list)


def load(*, path: Path, agency: Agency, kind: str, code_field: str, name_field: str | None, valid_from: datetime) -> Loaded:
    """Make the file's areas the agency's boundaries of that kind. Parts with one code become one area.

    A current boundary whose code is not in the file ends too; one whose new shape was refused stays. Loading the same file
    again changes nothing. Raises UnreadableBoundaries, OlderThanCurrent.
    """
    parts = list(read(path, code_field=code_field, name_field=name_field))
    areas = _by_code(part for part in parts if isinstance(part, Area))
    loaded = Loaded(rejected=[part for part in parts if isinstance(part, BadArea)])
    if not areas:
        raise UnreadableBoundaries(f"{path.name} holds no usable area")
    with publishing() as publication:
        current = {row.code: row for row in Boundary.objects.select_for_update().filter(agency=agency, kind=kind, valid_to=None)}
        changed = {code: area for code, area in areas.items() if code not in current or not _is_same(current[code], area)}
        ended = [current[code] for code in current.keys() - (areas.keys() - changed.keys()) - {bad.code for bad in loaded.rejected}]
        _check_order(ended, valid_from)
        for row in ended:
            row.valid_to = valid_from
        made = [_version(agency, kind, area, valid_from) for area in changed.values()]
        Boundary.objects.bulk_update(ended, ["valid_to"])
        Boundary.objects.bulk_create(made)
        written = [row.pk for row in (*ended, *made)]
        if written:
            facts = {"kind": kind, "file": path.name, "made": len(made), "ended": len(ended), "valid_from": valid_from.isoformat()}
            record("boundaries_loaded", target=f"boundaries:{kind}", agency_id=agency.pk, count=len(written), detail=facts)
            publication.touch(LAYER, agency.pk, lambda rev: Boundary.objects.filter(pk__in=written).update(rev=rev))
    loaded.made, loaded.ended, loaded.unchanged = len(made), len(ended), len(areas) - len(changed)
    return loaded


def _by_code(areas: Iterable[Area]) -> dict[str, Area]:
    groups: defaultdict[str, list[Area]] = defaultdict(list)
    for area in areas:
        groups[area.code].append(area)
    return {code: parts[0] if len(parts) == 1 else _joined(parts) for code, parts in groups.items()}


def _joined(parts: list[Area]) -> Area:
    whole = shapely.union_all([part.shape for part in parts])
    polygons = [part for part in shapely.get_parts(whole) if part.geom_type == "Polygon"]
    return Area(parts[0].code, parts[0].name, shapely.MultiPolygon(polygons))


def _is_same(row: Boundary, area: Area) -> bool:
    return row.name == area.name and bytes(row.geom.wkb) == shapely.to_wkb(area.shape)


def _check_order(ended: list[Boundary], valid_from: datetime) -> None:
    for row in ended:
        if row.valid_from >= valid_from:
            raise OlderThanCurrent(f"{row} is valid from {row.valid_from:%Y-%m-%d}; give a later day than {valid_from:%Y-%m-%d}")


def _version(agency: Agency, kind: str, area: Area, valid_from: datetime) -> Boundary:
    geometry = GEOSGeometry(memoryview(shapely.to_wkb(area.shape)), srid=4326)
    assert isinstance(geometry, MultiPolygon)
    return Boundary(agency=agency, kind=kind, code=area.code, name=area.name, geom=geometry, valid_from=valid_from)
