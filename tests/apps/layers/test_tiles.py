"""Vector tiles, as a map program asks for them and as it reads them."""

import random
from typing import Any

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Agency
from apps.audit.models import Entry
from apps.boundaries.models import Boundary
from apps.geo.cells import cell_of, parent, resolution_of, text
from apps.geo.tile_address import TileAddress
from apps.geofences.operations import make_fence
from apps.incidents.models import Call
from apps.ingest.models import Source
from apps.layers.registry import names
from apps.layers.tiles import MOST_FEATURES
from tests.tiles import around, features_of, how_many, path_of
from tests.world import NOON, make_agency, make_member, make_source, make_track, minutes, move, next_rev, say, signed_in

pytestmark = pytest.mark.django_db
HOUSTON = (-95.36, 29.76)


@pytest.fixture
def client(agency: Agency) -> Client:
    return signed_in(make_member(agency))


def decoded(response: Any) -> dict[str, list[dict[str, Any]]]:
    assert response.status_code == 200, response.content
    return features_of(response.content)


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


def total(response: Any) -> int:
    assert response.status_code == 200, response.content
    return how_many(response.content)


def test_a_closed_call_is_in_no_tile_of_the_present(client: Client, cad: Source) -> None:
    say(cad, "H-1", at=NOON, place=HOUSTON)
    assert total(client.get(path_of("calls", around(*HOUSTON, 14)))) == 1
    say(cad, "H-1", at=NOON + minutes(5), place=HOUSTON, state="closed")
    response = client.get(path_of("calls", around(*HOUSTON, 14)))
    assert (response.status_code, response.content) == (200, b"")


def test_low_zooms_tell_how_many_by_cell(client: Client, cad: Source) -> None:
    for number in range(5):
        say(cad, f"H-{number}", at=NOON, place=(-95.36 + number / 1e5, 29.76))
    say(cad, "FAR", at=NOON, place=(-95.1, 29.6))
    for zoom in (0, 5, 9, 12):
        features = decoded(client.get(path_of("calls", around(*HOUSTON, zoom))))["calls"]
        cell = text(parent(cell_of(*HOUSTON), resolution_of(zoom)))
        together = zoom < 5
        assert {"cell": cell, "count": 6 if together else 5} in [one["properties"] for one in features]
        assert total(client.get(path_of("calls", around(*HOUSTON, zoom)))) == (6 if zoom < 10 else 5)


@pytest.fixture
def crowd(cad: Source) -> list[tuple[float, float]]:
    """Calls around Houston, on the edges of tiles, at the antimeridian and beyond the projection; two of three are open."""
    rng = random.Random(9)
    places = [(rng.gauss(-95.36, 0.05), rng.gauss(29.76, 0.05)) for _ in range(120)]
    places += [(-90.0, 0.0), (0.0, 0.0), (180.0, 10.0), (-180.0, 10.0), (179.9999999, 10.0), (10.0, 89.0), (10.0, -90.0), (-95.625, 29.76)]
    for number, place in enumerate(places):
        say(cad, f"H-{number}", at=NOON + minutes(number), place=place, state=("active", "waiting", "closed")[number % 3], rank=number % 4)
    return places


WINDOW = {"from": "2026-02-28T00:00:00Z", "to": "2026-03-20T00:00:00Z"}
PAST = {"at": "2026-03-02T12:00:00Z"}


def test_the_numbers_of_all_tiles_add_up_to_the_whole(client: Client, crowd: list[tuple[float, float]]) -> None:
    """Now, over a window, in the past and filtered: in each tile what lies in it, so that nothing is told twice or left out."""
    every = range(len(crowd))
    is_open = {number for number in every if number % 3 != 2}
    asked = [({}, is_open), (WINDOW, set(every)), (PAST, is_open), ({"rank": "1"}, {number for number in is_open if number % 4 == 1})]
    for zoom in (0, 8, 11, 12, 13, 16, 22):
        tile_of = [around(*place, zoom) for place in crowd]
        fullest = sorted(set(tile_of), key=lambda tile: (-tile_of.count(tile), tile.x, tile.y))[:12]
        for query, told in asked:
            expected = [sum(tile_of[number] == tile for number in told) for tile in fullest]
            assert [total(client.get(path_of("calls", tile), query)) for tile in fullest] == expected, (zoom, query)


def test_a_feature_lies_inside_of_its_tile(client: Client, crowd: list[tuple[float, float]]) -> None:
    for zoom in (3, 12, 14, 20):
        for tile in sorted({around(*place, zoom) for place in crowd}, key=lambda tile: (tile.x, tile.y))[:20]:
            for feature in decoded(client.get(path_of("calls", tile), WINDOW)).get("calls", []):
                assert all(0 <= at < 4096 for at in feature["geometry"]["coordinates"])


def test_too_many_features_are_told_by_cell_at_any_zoom(client: Client, cad: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.layers.tiles.MOST_FEATURES", 3)
    for number in range(3):
        say(cad, f"H-{number}", at=NOON, place=HOUSTON)
    path = path_of("calls", around(*HOUSTON, 16))
    assert all("count" not in feature["properties"] for feature in decoded(client.get(path))["calls"])
    say(cad, "H-3", at=NOON, place=HOUSTON)
    (cell,) = decoded(client.get(path))["calls"]
    assert cell["properties"] == {"cell": text(parent(cell_of(*HOUSTON), 12)), "count": 4}


def test_a_tile_that_would_be_too_large_is_told_by_cell(client: Client, cad: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.layers.tiles.LARGEST_BYTES", 1_000)
    for number in range(10):
        say(cad, f"H-{number}", at=NOON, place=HOUSTON, address=f"{number} " + "x" * 200)
    response = client.get(path_of("calls", around(*HOUSTON, 16)))
    assert total(response) == 10
    assert len(response.content) <= 1_000


def test_a_full_tile_stays_below_its_largest_size(client: Client, cad: Source) -> None:
    """1,000 calls with the longest texts that their columns take are too much, and are told by cell."""
    facts = {"type": "T" * 160, "address": "A" * 300, "priority": "P" * 16}
    say(cad, "H", at=NOON, place=HOUSTON, **facts)
    with connection.cursor() as cursor:
        columns = [field.column for field in Call._meta.concrete_fields if field.column not in ("id", "number", "address")]
        cursor.execute(
            f"INSERT INTO incidents_call (number, address, {', '.join(columns)})"
            f" SELECT 'H-' || n, n || repeat('A', 290), {', '.join(columns)} FROM incidents_call, generate_series(1, {MOST_FEATURES - 1}) n"
        )
    response = client.get(path_of("calls", around(*HOUSTON, 16)))
    assert (total(response), len(response.content) <= 500_000) == (MOST_FEATURES, True)


def test_a_window_has_calls_of_any_state_that_were_opened_in_it(client: Client, cad: Source) -> None:
    for day, state in ((0, "closed"), (1, "waiting"), (2, "active"), (40, "closed")):
        say(cad, f"H-{day}", at=NOON + minutes(1440 * day), place=HOUSTON, state=state)
    path = path_of("calls", around(*HOUSTON, 14))

    def numbers(**query: str) -> list[str]:
        return sorted(feature["properties"]["number"] for feature in decoded(client.get(path, query)).get("calls", []))

    window = {"from": "2026-03-01T12:00:00Z", "to": "2026-03-03T12:00:00Z"}
    assert numbers(**window) == ["H-0", "H-1"]
    assert numbers(**window, state="closed") == ["H-0"]
    assert numbers(**{**window, "to": "2026-05-01T00:00:00Z"}) == ["H-0", "H-1", "H-2", "H-40"]
    assert numbers() == ["H-1", "H-2"]


def test_the_past_is_what_stood_then_as_known_then(client: Client, cad: Source) -> None:
    there = (-95.2, 29.9)
    say(cad, "H-1", at=NOON, place=HOUSTON, type="Alarm")
    say(cad, "H-1", at=NOON + minutes(10), recorded_at=NOON + minutes(30), place=there, type="Fire")
    say(cad, "H-1", at=NOON + minutes(60), place=there, state="closed")
    here, moved = path_of("calls", around(*HOUSTON, 14)), path_of("calls", around(*there, 14))

    def then(path: str, **query: float) -> list[str]:
        times = {name: (NOON + minutes(count)).isoformat() for name, count in query.items()}
        return [feature["properties"]["type"] for feature in decoded(client.get(path, times)).get("calls", [])]

    assert (then(here, at=5), then(moved, at=5)) == (["Alarm"], [])
    assert (then(here, at=20), then(moved, at=20)) == ([], ["Fire"])
    assert (then(here, at=20, known=25), then(moved, at=20, known=25)) == (["Alarm"], [])
    assert (then(here, at=70), then(moved, at=70)) == ([], [])
    assert (total(client.get(here)), total(client.get(moved))) == (0, 0)


def test_a_known_that_is_not_settled_is_answered_with_less_and_kept_by_nobody(client: Client) -> None:
    response = client.get(path_of("calls", around(*HOUSTON, 14)), {"known": "2099-01-01T00:00:00Z"})
    assert response["RTCC-Known"] < "2099"
    assert "ETag" not in response
    assert response["Cache-Control"] == "private, no-store"


def test_units_are_drawn_where_they_are(client: Client, cad: Source) -> None:
    track = make_track(cad, "veh-1", name="Car 1")
    move(track, NOON, *HOUSTON, speed_mps=12.0)
    (feature,) = decoded(client.get(path_of("units", around(*HOUSTON, 14))))["units"]
    assert (feature["id"], feature["properties"]["name"], feature["properties"]["speed_mps"]) == (track.pk, "Car 1", 12.0)
    (cell,) = decoded(client.get(path_of("units", around(*HOUSTON, 6))))["units"]
    assert cell["properties"] == {"cell": text(parent(cell_of(*HOUSTON), resolution_of(6))), "count": 1}


@pytest.mark.parametrize("query", [{}, {"at": "2026-03-01T12:30:00Z"}], ids=["now", "past"])
def test_units_add_up_at_any_zoom(client: Client, cad: Source, monkeypatch: pytest.MonkeyPatch, query: Any) -> None:
    monkeypatch.setattr("apps.layers.tiles.MOST_FEATURES", 6)
    places = [(-95.36 + number / 300, 29.76) for number in range(10)] + [(180.0, 10.0), (-180.0, 10.0), (-90.0, 0.0)]
    for number, place in enumerate(places):
        move(make_track(cad, f"veh-{number}"), NOON, *place)
        move(make_track(cad, f"late-{number}"), NOON + minutes(60), *place)
    of_each = 1 if query else 2
    for zoom in (0, 3, 9, 11, 13, 16):
        tiles = {around(*place, zoom) for place in places}
        told = {tile: total(client.get(path_of("units", tile), query)) for tile in tiles}
        assert told == {tile: of_each * sum(around(*place, zoom) == tile for place in places) for tile in tiles}, zoom


def test_units_that_are_filtered_are_counted_filtered(client: Client, cad: Source) -> None:
    for number, kind in enumerate(("car", "car", "boat")):
        move(make_track(cad, f"veh-{number}", kind=kind), NOON, *HOUSTON)
    assert [total(client.get(path_of("units", around(*HOUSTON, 5)), {"kind": kind})) for kind in ("car", "boat", "foot")] == [2, 1, 0]


SQUARE = MultiPolygon(Polygon(((-95.4, 29.7), (-95.3, 29.7), (-95.3, 29.8), (-95.4, 29.8), (-95.4, 29.7))), srid=4326)
SPECK = MultiPolygon(Polygon(((-95.36, 29.76), (-95.35999, 29.76), (-95.35999, 29.76001), (-95.36, 29.76))), srid=4326)


def make_boundary(agency: Agency, code: str, geom: MultiPolygon = SQUARE) -> Boundary:
    return Boundary.objects.create(agency=agency, kind="beat", code=code, geom=geom, valid_from=NOON, rev=next_rev("boundaries", agency))


def test_areas_are_drawn_in_every_tile_that_they_touch(client: Client, agency: Agency) -> None:
    area = make_boundary(agency, "B-1")
    for lon, lat in ((-95.39, 29.71), (-95.31, 29.79)):
        (feature,) = decoded(client.get(path_of("boundaries", around(lon, lat, 12))))["boundaries"]
        assert (feature["id"], feature["properties"]["code"], feature["geometry"]["type"]) == (area.pk, "B-1", "Polygon")
    assert client.get(path_of("boundaries", around(0, 0, 12))).content == b""


def test_an_area_too_small_to_draw_is_a_dot(client: Client, agency: Agency) -> None:
    make_boundary(agency, "SPECK", SPECK)
    (feature,) = decoded(client.get(path_of("boundaries", around(*HOUSTON, 5))))["boundaries"]
    assert (feature["properties"]["code"], feature["geometry"]["type"]) == ("SPECK", "Point")


def test_too_many_areas_are_told_by_cell_in_the_tile_of_their_point(
    client: Client, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.layers.tiles.MOST_FEATURES", 2)
    for number in range(3):
        make_boundary(agency, f"B-{number}")
    counts = [total(client.get(path_of("boundaries", around(lon, lat, 12)))) for lon, lat in ((-95.35, 29.75), (-95.39, 29.71))]
    assert counts == [3, 0]


def test_an_area_that_reaches_a_pole_is_cut_where_the_projection_ends(client: Client, agency: Agency) -> None:
    polar = MultiPolygon(Polygon(((-180, 60), (180, 60), (180, 90), (-180, 90), (-180, 60))), srid=4326)
    make_boundary(agency, "POLE", polar)
    for tile in (TileAddress(0, 0, 0), TileAddress(3, 0, 0), TileAddress(3, 7, 0)):
        (feature,) = decoded(client.get(path_of("boundaries", tile)))["boundaries"]
        assert feature["geometry"]["type"] == "Polygon"


def test_fences_are_drawn_and_filtered(client: Client, agency: Agency) -> None:
    make_fence(agency=agency, name="School", area=SQUARE, category="school", at=NOON)
    make_fence(agency=agency, name="Bank", area=SQUARE, category="bank", at=NOON)
    path = path_of("fences", around(-95.35, 29.75, 12))
    assert sorted(one["properties"]["name"] for one in decoded(client.get(path))["fences"]) == ["Bank", "School"]
    assert [one["properties"]["name"] for one in decoded(client.get(path, {"category": "bank"}))["fences"]] == ["Bank"]


def test_nothing_of_another_agency_is_in_any_tile(client: Client, agency: Agency, cad: Source) -> None:
    other = make_agency("other")
    foreign = make_source(other, "other-cad")
    say(foreign, "SECRET-1", at=NOON, place=HOUSTON)
    move(make_track(foreign, "SECRET-2", name="SECRET-2"), NOON, *HOUSTON)
    make_boundary(other, "SECRET-3")
    make_fence(agency=other, name="SECRET-4", area=SQUARE, at=NOON)
    for layer in names():
        for zoom in (0, 8, 12, 14):
            windows = [WINDOW] if layer == "calls" else []
            for query in ({}, PAST, {"at": "2099-01-01T00:00:00Z"}, *windows):
                response = client.get(path_of(layer, around(*HOUSTON, zoom)), query)
                assert (response.status_code, response.content) == (200, b""), (layer, zoom, query)


@pytest.mark.parametrize("path", ["plates/tiles/0/0/0.mvt", "plates/tiles.json", "plates/style.json", "calls/tiles/0/0/0.mvt?agency=other"])
def test_a_foreign_layer_or_agency_is_a_404(client: Client, path: str) -> None:
    make_agency("other")
    response = client.get(f"/api/layers/{path}")
    assert (response.status_code, response.json()["error"] in {"no_such_layer", "no_such_agency"}) == (404, True)


def test_a_layer_that_may_not_be_seen_is_a_404(client: Client, agency: Agency) -> None:
    agency.held_grants.filter(layer="calls").delete()
    for path in ("tiles/0/0/0.mvt", "tiles.json", "style.json"):
        assert client.get(f"/api/layers/calls/{path}").status_code == 404


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("calls/tiles/23/0/0.mvt", 'tile is "23/0/0", expected z from 0 to 22'),
        ("calls/tiles/1/2/0.mvt", 'tile is "1/2/0"'),
        ("calls/tiles/0/0/0.mvt?rank=high", 'rank is "high", expected a number'),
        ("calls/tiles/0/0/0.mvt?type=", 'type is "", expected 1 to 200 characters'),
        ("calls/tiles/0/0/0.mvt?colour=red", 'colour is "red", expected one of agency, at, known, from, to, why, token, type'),
        ("calls/tiles/0/0/0.mvt?at=now", 'at is "now"'),
        ("calls/tiles/0/0/0.mvt?from=2026-03-01T00:00:00Z", "from is"),
        ("calls/tiles/0/0/0.mvt?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "to is"),
        ("calls/tiles/0/0/0.mvt?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&at=2026-03-01T00:00:00Z", "at is"),
        ("fences/tiles/0/0/0.mvt?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z", "from is"),
        ("units/tiles/0/0/0.mvt?rank=1", 'rank is "1", expected one of'),
        ("calls/tiles.json?rank=high", 'rank is "high"'),
    ],
)
def test_what_is_wrong_is_named(client: Client, path: str, said: str) -> None:
    response = client.get(f"/api/layers/{path}")
    assert (response.status_code, response.json()["error"]) == (400, "bad_parameter")
    assert response.json()["detail"].startswith(said)


def test_tilejson_and_style_lead_to_the_tiles(client: Client, cad: Source) -> None:
    say(cad, "H-1", at=NOON, place=HOUSTON)
    described = client.get("/api/layers/calls/tiles.json?rank=9&token=").status_code
    assert described == 401, "an empty token is a wrong one"
    described = client.get("/api/layers/calls/tiles.json?rank=9").json()
    assert described["tilejson"] == "3.0.0"
    assert described["tiles"] == ["http://testserver/api/layers/calls/tiles/{z}/{x}/{y}.mvt?rank=9"]
    assert described["vector_layers"][0]["id"] == "calls"
    drawn = client.get("/api/layers/calls/style.json?rank=9").json()
    assert drawn["sources"]["calls"]["tiles"] == described["tiles"]
    tile = around(*HOUSTON, 14)
    path = described["tiles"][0].removeprefix("http://testserver").format(z=14, x=tile.x, y=tile.y)
    assert total(client.get(path)) == 1
    (feature,) = decoded(client.get(path))["calls"]
    assert set(feature["properties"]) <= set(described["vector_layers"][0]["fields"])


@pytest.mark.parametrize("layer", ["units", "calls", "fences", "boundaries"])
def test_every_layer_has_a_style_of_its_own_tiles(client: Client, layer: str) -> None:
    style = client.get(f"/api/layers/{layer}/style.json").json()
    assert {one["source-layer"] for one in style["layers"]} == {layer}
    assert len({one["id"] for one in style["layers"]}) == len(style["layers"]) >= 2


def test_the_number_of_queries_of_a_tile_does_not_grow(client: Client, cad: Source) -> None:
    counts = []
    for start in (0, 20):
        for number in range(start, start + 20):
            say(cad, f"H-{number}", at=NOON, place=HOUSTON)
        with CaptureQueriesContext(connection) as seen:
            client.get(path_of("calls", around(*HOUSTON, 14)))
        counts.append(len(seen))
    assert counts == [11, 11], "session, member, epoch, rights; begin, enter, heads, how many, tile, leave, end"


def test_a_tile_of_where_units_were_is_audited(client: Client, cad: Source) -> None:
    move(make_track(cad, "veh-1"), NOON, *HOUSTON)
    before = Entry.objects.filter(act="layer_read").count()
    client.get(path_of("units", around(*HOUSTON, 14)))
    assert Entry.objects.filter(act="layer_read").count() == before, "where they are now is not"
    client.get(path_of("units", around(*HOUSTON, 14)), {"at": "2026-03-01T12:30:00Z", "why": "case 7"})
    entry = Entry.objects.filter(act="layer_read").latest("pk")
    tile = around(*HOUSTON, 14)
    told = (entry.target, entry.reason, entry.count, entry.detail["tile"])
    assert told == ("layer:units", "case 7", 1, f"14/{tile.x}/{tile.y}")
