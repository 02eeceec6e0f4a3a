"""Loading boundaries: versions, and the layer that shows them."""

import json
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.core.management import CommandError, call_command
from django.db import connection

from apps.accounts.models import Agency
from apps.boundaries.layers import changed, page
from apps.boundaries.models import Boundary
from apps.boundaries.operations import Loaded, OlderThanCurrent, load
from apps.boundaries.reading import UnreadableBoundaries
from apps.layers.definition import FeatureRow, PageQuery
from tests.apps.boundaries.test_reading import geojson, mapping
from tests.world import NOON, make_agency, make_instance, minutes, properties

pytestmark = pytest.mark.django_db
WEST, EAST, SOUTH = shapely.box(-96, 29, -95, 30), shapely.box(-95, 29, -94, 30), shapely.box(-96, 28, -95, 29)


@pytest.fixture
def agency() -> Agency:
    return make_agency()


def put(folder: Path, agency: Agency, areas: dict[str, Any], at: datetime = NOON) -> Loaded:
    file = geojson(folder, *[({"beat": code}, shape and mapping(shape)) for code, shape in areas.items()])
    return load(path=file, agency=agency, kind="beat", code_field="beat", name_field=None, valid_from=at)


def read(agency: Agency, *, at: datetime | None = None, known: datetime | None = None) -> list[FeatureRow]:
    with connection.cursor() as cursor:
        return page(cursor, PageQuery([agency.pk], None, at, known, (0, 0), 100))


def replica(agency: Agency, after_rev: int) -> list[FeatureRow]:
    with connection.cursor() as cursor:
        return changed(cursor, agency.pk, after_rev)


def codes(rows: list[FeatureRow]) -> list[str]:
    return sorted(properties(row.geojson)["code"] for row in rows)


def test_a_file_becomes_the_layer(tmp_path: Path, agency: Agency) -> None:
    loaded = put(tmp_path, agency, {"1": WEST, "2": EAST})
    assert (loaded.made, loaded.unchanged, loaded.ended, loaded.rejected) == (2, 0, 0, [])
    rows = read(agency)
    assert codes(rows) == ["1", "2"]
    assert properties(rows[0].geojson) == {
        "kind": "beat", "code": "1", "name": "1", "agency": "metro", "valid_from": "2026-03-01T12:00:00Z", "valid_to": None,
    }  # fmt: skip


def test_the_same_file_again_changes_nothing(tmp_path: Path, agency: Agency) -> None:
    put(tmp_path, agency, {"1": WEST, "2": EAST})
    again = put(tmp_path, agency, {"1": WEST, "2": EAST}, NOON + minutes(5))
    assert (again.made, again.unchanged, again.ended) == (0, 2, 0)
    assert {row.rev for row in read(agency)} == {1}


def test_a_new_version_ends_the_old_one(tmp_path: Path, agency: Agency) -> None:
    put(tmp_path, agency, {"1": WEST, "2": EAST})
    later = NOON + minutes(60)
    loaded = put(tmp_path, agency, {"1": SOUTH, "3": EAST}, later)
    assert (loaded.made, loaded.unchanged, loaded.ended) == (2, 0, 2)
    assert codes(read(agency)) == ["1", "3"]
    assert codes(read(agency, at=NOON + minutes(59))) == ["1", "2"]
    assert codes(read(agency, at=later)) == ["1", "3"]
    assert Boundary.objects.get(code="1", valid_to=later).valid_from == NOON


def test_a_replica_gets_new_versions_and_ends(tmp_path: Path, agency: Agency) -> None:
    put(tmp_path, agency, {"1": WEST, "2": EAST})
    put(tmp_path, agency, {"1": SOUTH, "2": EAST}, NOON + minutes(60))
    assert codes(replica(agency, 0)) == ["1", "2"]
    lacking = replica(agency, 1)
    assert sorted(row.geojson is None for row in lacking) == [False, True]


def test_a_refused_shape_leaves_its_old_version_standing(tmp_path: Path, agency: Agency) -> None:
    put(tmp_path, agency, {"1": WEST, "2": EAST})
    loaded = put(tmp_path, agency, {"1": None, "2": SOUTH}, NOON + minutes(60))
    assert [bad.code for bad in loaded.rejected] == ["1"]
    assert codes(read(agency)) == ["1", "2"]


def test_parts_of_one_code_become_one_area(tmp_path: Path, agency: Agency) -> None:
    file = geojson(tmp_path, ({"beat": "1"}, mapping(WEST)), ({"beat": "1"}, mapping(EAST)))
    load(path=file, agency=agency, kind="beat", code_field="beat", name_field=None, valid_from=NOON)
    (boundary,) = Boundary.objects.all()
    assert boundary.geom.extent == (-96, 29, -94, 30)


def test_a_version_from_before_the_current_is_refused_and_nothing_changes(tmp_path: Path, agency: Agency) -> None:
    put(tmp_path, agency, {"1": WEST})
    with pytest.raises(OlderThanCurrent):
        put(tmp_path, agency, {"1": EAST}, NOON - minutes(1))
    assert Boundary.objects.get().valid_to is None


def test_a_file_without_a_usable_area_is_refused(tmp_path: Path, agency: Agency) -> None:
    put(tmp_path, agency, {"1": WEST})
    with pytest.raises(UnreadableBoundaries, match="no usable area"):
        put(tmp_path, agency, {"1": None}, NOON + minutes(1))
    assert Boundary.objects.get().valid_to is None


def test_other_kinds_and_agencies_are_left_alone(tmp_path: Path, agency: Agency) -> None:
    put(tmp_path, agency, {"1": WEST})
    other = make_agency("other")
    put(tmp_path, other, {"1": EAST})
    file = geojson(tmp_path, ({"d": "9"}, mapping(WEST)))
    load(path=file, agency=agency, kind="district", code_field="d", name_field=None, valid_from=NOON + minutes(1))
    assert codes(read(agency)) == ["1", "9"]
    assert codes(read(other)) == ["1"]


def test_the_command_loads_and_reports(tmp_path: Path, agency: Agency) -> None:
    make_instance()
    file = geojson(tmp_path, ({"beat": "1"}, mapping(WEST)), ({"beat": "2"}, None))
    out = StringIO()
    words = ["--agency", "metro", "--kind", "beat", "--code-field", "beat", "--from", "2026-01-31"]
    call_command("load_boundaries", str(file), *words, stdout=out)
    assert out.getvalue().splitlines() == [
        "1 made, 0 unchanged, 0 ended, 1 refused",
        "refused: number 1 (code 2): it has no shape",
    ]
    assert Boundary.objects.get().valid_from.isoformat() == "2026-01-31T00:00:00+00:00"


def test_the_command_says_what_is_wrong(tmp_path: Path, agency: Agency) -> None:
    make_instance()
    file = geojson(tmp_path, ({"beat": "1"}, mapping(WEST)))
    with pytest.raises(CommandError, match='no agency "nowhere"'):
        call_command("load_boundaries", str(file), agency="nowhere", kind="beat", code_field="beat")
    with pytest.raises(CommandError, match="it has beat"):
        call_command("load_boundaries", str(file), agency="metro", kind="beat", code_field="BEAT")


def test_geometry_is_rounded_to_a_decimeter(tmp_path: Path, agency: Agency) -> None:
    put(tmp_path, agency, {"1": shapely.box(-95.123456789, 29, -95, 30)})
    (row,) = read(agency)
    assert row.geojson is not None
    assert -95.123457 in {corner[0] for corner in json.loads(row.geojson)["geometry"]["coordinates"][0][0]}
