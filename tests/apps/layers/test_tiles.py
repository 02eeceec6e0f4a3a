"""Vector tiles, as a map program asks for them and as it reads them."""

from typing import Any

import mapbox_vector_tile
import pytest
from django.test import Client

from apps.accounts.models import Agency
from apps.geo.tile_address import FINEST, TileAddress, column_row
from apps.ingest.models import Source
from tests.world import NOON, make_agency, make_instance, make_member, make_source, say, signed_in

pytestmark = pytest.mark.django_db
HOUSTON = (-95.36, 29.76)


@pytest.fixture
def agency() -> Agency:
    make_instance()
    return make_agency()


@pytest.fixture
def cad(agency: Agency) -> Source:
    return make_source(agency)


@pytest.fixture
def client(agency: Agency) -> Client:
    return signed_in(make_member(agency))


def around(lon: float, lat: float, zoom: int) -> TileAddress:
    x, y = column_row(lon, lat)
    return TileAddress(zoom, x >> FINEST - zoom, y >> FINEST - zoom)


def path_of(layer: str, address: TileAddress) -> str:
    return f"/api/layers/{layer}/tiles/{address.z}/{address.x}/{address.y}.mvt"


def decoded(response: Any) -> dict[str, list[dict[str, Any]]]:
    assert response.status_code == 200, response.content
    layers = mapbox_vector_tile.decode(response.content, default_options={"y_coord_down": True})
    return {name: layer["features"] for name, layer in layers.items()}


def test_a_call_is_in_the_tile_of_its_place_with_what_is_said_of_it(client: Client, cad: Source) -> None:
    call = say(cad, "H-1", at=NOON, place=HOUSTON, type="Alarm", priority="1", rank=0, address="1 Main St")
    response = client.get(path_of("calls", around(*HOUSTON, 14)))
    assert response["Content-Type"] == "application/vnd.mapbox-vector-tile"
    (feature,) = decoded(response)["calls"]
    assert feature["id"] == call.pk
    assert feature["properties"] == {
        "number": "H-1", "type": "Alarm", "priority": "1", "rank": 0, "state": "waiting", "agency": "metro", "origin": "live",
        "address": "1 Main St", "opened_at": "2026-03-01T12:00:00Z",
    }  # fmt: skip
    x, y = around(*HOUSTON, 14).spot(*HOUSTON)
    assert feature["geometry"] == {"type": "Point", "coordinates": [x, y]}
