"""Tiles, and places in which every tile is a range."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.geo.tile_address import FINEST, MAX_LATITUDE_DEG, TileAddress, column_row, interleave, place_of

lons, lats, zooms = st.floats(-180, 180), st.floats(-90, 90), st.integers(0, 22)


def tile_at(lon: float, lat: float, zoom: int) -> TileAddress:
    x, y = column_row(lon, lat)
    return TileAddress(zoom, x >> FINEST - zoom, y >> FINEST - zoom)


def neighbors(tile: TileAddress) -> list[TileAddress]:
    side = 1 << tile.z
    steps = {((tile.x + dx) % side, tile.y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)} - {(tile.x, tile.y)}
    return [TileAddress(tile.z, x, y) for x, y in steps if 0 <= y < side]


@given(lons, lats, zooms)
@example(180.0, 0.0, 3)
@example(-180.0, 90.0, 22)
@example(0.0, -90.0, 1)
@example(-90.0, 0.0, 2)
def test_a_point_lies_in_one_tile_of_each_zoom(lon: float, lat: float, zoom: int) -> None:
    tile, place = tile_at(lon, lat, zoom), place_of(lon, lat)
    assert tile.places[0] <= place < tile.places[1]
    assert tile.holds(lon, lat)
    for other in neighbors(tile):
        assert not other.places[0] <= place < other.places[1]
        assert not other.holds(lon, lat)


def test_a_point_on_an_edge_belongs_to_the_tile_east_and_south_of_it() -> None:
    assert tile_at(0, 0, 1) == TileAddress(1, 1, 1)
    assert tile_at(-90, 0, 2) == TileAddress(2, 1, 2)
    assert tile_at(-90 - 1e-6, 1e-6, 2) == TileAddress(2, 0, 1)


def test_the_antimeridian_is_one_line() -> None:
    assert place_of(180, 10) == place_of(-180, 10)
    assert tile_at(180, 10, 5).x == 0
    assert tile_at(179.9999999, 10, 5).x == 31


@pytest.mark.parametrize(("lat", "row"), [(90, 0), (MAX_LATITUDE_DEG, 0), (-90, 31), (-MAX_LATITUDE_DEG, 31)])
def test_what_lies_beyond_the_projection_is_in_the_outermost_row(lat: float, row: int) -> None:
    assert tile_at(0, lat, 5).y == row


@pytest.mark.parametrize("zxy", [(-1, 0, 0), (23, 0, 0), (1, 2, 0), (1, 0, 2), (0, -1, 0)])
def test_there_is_no_tile_outside_of_the_pyramid(zxy: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="there is no tile"):
        TileAddress(*zxy)


@given(lons, lats, st.tuples(zooms, zooms))
def test_the_ancestor_of_a_points_tile_is_the_points_tile(lon: float, lat: float, both: tuple[int, int]) -> None:
    coarse, fine = sorted(both)
    assert tile_at(lon, lat, fine).ancestor(coarse) == tile_at(lon, lat, coarse)


@given(zooms, st.data())
def test_the_keys_of_a_tiles_children_make_up_its_own(zoom: int, data: st.DataObject) -> None:
    tile = TileAddress(zoom, data.draw(st.integers(0, (1 << zoom) - 1)), data.draw(st.integers(0, (1 << zoom) - 1)))
    first, behind = tile.keys(zoom + 1)
    assert (first, behind) == (interleave(tile.x * 2, tile.y * 2), interleave(tile.x * 2 + 1, tile.y * 2 + 1) + 1)


@given(lons, lats, zooms)
def test_a_point_is_drawn_inside_of_its_tile(lon: float, lat: float, zoom: int) -> None:
    assert all(0 <= at < 4096 for at in tile_at(lon, lat, zoom).spot(lon, lat))


@given(lons, st.floats(-85, 85), st.integers(1, 20))
def test_a_tiles_box_holds_its_points(lon: float, lat: float, zoom: int) -> None:
    west, south, east, north = tile_at(lon, lat, zoom).bbox(margin=1 / 64)
    assert south <= lat <= north
    assert west <= lon <= east or (lon > 179.999999 and tile_at(lon, lat, zoom).x == 0)
