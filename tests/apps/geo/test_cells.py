"""H3 cells as integers."""

from collections import Counter

import h3.api.basic_int as h3
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.geo import cells
from apps.geo.tile_address import MOST_ZOOM

lons, lats, resolutions = st.floats(-180, 180), st.floats(-90, 90), st.integers(0, 15)
EARTH_KM = 40_075.017


@given(lons, lats, resolutions)
def test_an_ancestor_is_the_one_that_h3_finds(lon: float, lat: float, resolution: int) -> None:
    cell = cells.cell_of(lon, lat)
    assert cells.parent(cell, resolution) == h3.cell_to_parent(cell, resolution)
    assert 0 < cell < 2**63


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.tuples(lons, lats), max_size=20), resolutions)
def test_the_database_groups_by_the_same_ancestors(places: list[tuple[float, float]], resolution: int) -> None:
    known = [cells.cell_of(*place) for place in places]
    given = [*known, *(cells.parent(cell, max(resolution, 9)) for cell in known), None, 0]
    with connection.cursor() as cursor:
        group = cells.group_sql("one.cell", resolution)
        cursor.execute(f"SELECT {group}, count(*) FROM unnest(%s::bigint[]) AS one (cell) GROUP BY 1", [given])
        found = cells.grouped(cursor.fetchall(), resolution)
    assert found == Counter(cells.parent(cell or cells.UNKNOWN, resolution) for cell in given)
    assert found[cells.UNKNOWN] == 2


def test_what_is_unknown_stays_unknown() -> None:
    assert cells.parent(cells.UNKNOWN, 7) == cells.UNKNOWN


def test_a_tile_of_any_zoom_holds_a_few_hundred_to_a_few_thousand_cells() -> None:
    for zoom in range(3, 20):
        tile_km2 = (EARTH_KM / 2**zoom) ** 2
        assert 150 < tile_km2 / h3.average_hexagon_area(cells.resolution_of(zoom), "km^2") < 2_500, zoom
    assert len(cells.RESOLUTIONS) == MOST_ZOOM + 1


def test_a_cell_is_written_as_h3_writes_it() -> None:
    cell = cells.cell_of(-95.36, 29.76)
    assert cells.text(cell) == h3.int_to_str(cell)
    lon, lat = cells.center(cells.parent(cell, 8))
    assert cells.parent(cells.cell_of(lon, lat), 8) == cells.parent(cell, 8)
