"""A call as GeoJSON."""

from datetime import timedelta

import orjson
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from apps.boundaries.tags import Tags
from apps.incidents.features import CallRow, call_feature, is_open
from tests.world import NOON

ROW = CallRow(
    id=7, rev=3, agency="metro", source="cad", origin="live", number="H-1", type="Burglary", priority="1", rank=0, state="waiting",
    opened_at=NOON, observed_at=NOON, received_at=NOON + timedelta(seconds=1), recorded_at=NOON + timedelta(seconds=1.5),
    closed_at=None, address="100 Main", cross_streets="1st", units=["4A12"], uncertainty_m=30.0, narrative="…", lon=-95.36, lat=29.76,
    boundaries=[4],
)  # fmt: skip


@pytest.mark.django_db
def test_it_says_everything_that_the_interface_names() -> None:
    tags = Tags()
    with connection.cursor() as cursor:
        tags.read(cursor, [ROW.boundaries])
    feature = orjson.loads(call_feature(ROW, tags))
    assert feature == {
        "type": "Feature",
        "id": 7,
        "geometry": {"type": "Point", "coordinates": [-95.36, 29.76]},
        "properties": {
            "number": "H-1", "agency": "metro", "type": "Burglary", "priority": "1", "rank": 0, "state": "waiting",
            "opened_at": "2026-03-01T12:00:00Z", "observed_at": "2026-03-01T12:00:00Z", "received_at": "2026-03-01T12:00:01Z",
            "recorded_at": "2026-03-01T12:00:01.500000Z", "closed_at": None, "address": "100 Main", "cross_streets": "1st",
            "units": ["4A12"], "uncertainty_m": 30.0, "unlocated": False, "origin": "live", "source": "cad", "boundaries": [],
            "narrative": "…",
        },
    }  # fmt: skip


def test_an_unlocated_call_has_no_geometry_and_says_so() -> None:
    feature = orjson.loads(call_feature(ROW._replace(lon=None, lat=None, boundaries=None), Tags()))
    assert feature["geometry"] is None
    assert feature["properties"]["unlocated"] is True


@pytest.mark.parametrize(("state", "expected"), [("waiting", True), ("active", True), ("closed", False)])
def test_waiting_and_active_calls_are_open(state: str, expected: bool) -> None:
    assert is_open(ROW._replace(state=state)) is expected


@given(st.floats(-180, 180), st.floats(-90, 90), st.text(max_size=40).filter(lambda text: text.isprintable()))
def test_any_place_and_text_survives(lon: float, lat: float, text: str) -> None:
    feature = orjson.loads(call_feature(ROW._replace(lon=lon, lat=lat, narrative=text), Tags()))
    assert feature["geometry"]["coordinates"] == [pytest.approx(lon, abs=1e-7), pytest.approx(lat, abs=1e-7)]
    assert feature["properties"]["narrative"] == text
