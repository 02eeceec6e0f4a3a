"""Windows on the earth as SQL, and GeoJSON's parts."""

from datetime import UTC, datetime

import orjson
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.layers.geojson import encode_feature, encoded, point
from apps.layers.window import BBox, touches

lons, lats = st.integers(-180, 180), st.integers(-90, 90)


def holds(lon: float, lat: float, box: BBox) -> bool:
    """Say plainly whether a point is in a box; west greater than east goes over the antimeridian."""
    west, south, east, north = box
    along = west <= lon <= east if west <= east else lon >= west or lon <= east
    return along and south <= lat <= north


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(lon=lons, lat=lats, west=lons, east=lons, sides=st.tuples(lats, lats))
def test_it_agrees_with_a_plain_reading(lon: int, lat: int, west: int, east: int, sides: tuple[int, int]) -> None:
    box: BBox = (west, min(sides), east, max(sides))
    where, values = touches("geom", box)
    with connection.cursor() as cursor:
        row = "SELECT ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326) AS geom"
        cursor.execute(f"SELECT count(*) FROM ({row}) AS one WHERE {where}", {"lon": lon, "lat": lat, **values})
        assert bool(cursor.fetchone()[0]) is holds(lon, lat, box)


def test_no_box_holds_everything() -> None:
    assert touches("geom", None) == ("TRUE", {})


def test_a_feature_takes_encoded_geometry_and_utc_times() -> None:
    feature = encode_feature(7, encoded('{"type":"Point","coordinates":[1,2]}'), {"at": datetime(2026, 3, 1, 12, tzinfo=UTC)})
    assert orjson.loads(feature) == {
        "type": "Feature",
        "id": 7,
        "geometry": {"type": "Point", "coordinates": [1, 2]},
        "properties": {"at": "2026-03-01T12:00:00Z"},
    }


def test_half_a_place_is_none() -> None:
    assert point(None, 1) is None
    assert point(1, None) is None
    assert point(0, 0) == {"type": "Point", "coordinates": [0, 0]}
