"""Positions in memory, and what a tick tells of them. Pure."""

import struct

import numpy as np
import pytest

from apps.live.frames import BLOB, CLOCK_OFF, HEADING_KNOWN, RECORD, SPEED_KNOWN, frame_parts
from apps.live.positions import Positions
from apps.live.ticks import Tick, encode_tiles
from apps.live.tiles import ALL_TILES, WIDE_VIEW, address_of, all_key, tile_keys, watched_keys
from apps.tracks.records import CLOCK_OFF as SOURCE_CLOCK_OFF
from apps.tracks.records import POSITION

AT_US = 1_800_000_000_000_000
AGENCY = 7


def records(*places: tuple[int, float, float], **facts: object) -> np.ndarray:
    found = np.zeros(len(places), dtype=POSITION)
    found["track"], found["observed_us"] = [track for track, _, _ in places], AT_US
    found["lon"], found["lat"] = ([round(place[axis] * 1e7) for place in places] for axis in (1, 2))
    for name in ("speed_mps", "heading_deg"):
        found[name] = np.nan
    for name, value in facts.items():
        found[name] = value
    return found


def introduced(*tracks: int) -> list[dict[str, object]]:
    return [{"handle": track, "id": track, "unit": f"4A{track}", "name": "", "kind": "car", "origin": "live"} for track in tracks]


@pytest.fixture
def positions() -> Positions:
    held = Positions()
    held.introduce(AGENCY, introduced(1, 2))
    held.apply(AGENCY, records((1, -95.36, 29.76), (2, -95.0, 29.76)))
    held.take_movement()
    return held


def key_of(lon: float, lat: float, agency: int = AGENCY) -> int:
    return int(tile_keys(agency, np.array([round(lon * 1e7)]), np.array([round(lat * 1e7)]))[0])


def told(positions: Positions, *keys: int) -> dict[int, np.ndarray]:
    tick = Tick(1, AT_US / 1000)
    encode_tiles(positions, positions.take_movement(), set(keys), tick)
    return {key: np.frombuffer(blob, RECORD, offset=BLOB.size) for key, blob in tick.blobs.items()}


def test_a_record_carries_age_heading_speed_status_and_what_is_known(positions: Positions) -> None:
    positions.apply(AGENCY, records((1, -95.36, 29.76), speed_mps=12.6, heading_deg=270, status=4, flags=SOURCE_CLOCK_OFF))
    record = np.frombuffer(positions.encode(np.array([0]), AT_US / 1000 + 2500), RECORD)[0]
    assert record.tolist() == (0, -953600000, 297600000, 2500, 192, 25, 4, HEADING_KNOWN | SPEED_KNOWN | CLOCK_OFF)


def test_a_fix_from_ahead_has_no_negative_age(positions: Positions) -> None:
    assert np.frombuffer(positions.encode(np.array([0]), AT_US / 1000 - 9000), RECORD)["age_ms"][0] == 0


def test_what_crosses_is_told_to_both_tiles(positions: Positions) -> None:
    here, there, elsewhere = key_of(-95.36, 29.76), key_of(-95.5, 29.76), key_of(-95.0, 29.76)
    positions.apply(AGENCY, records((1, -95.5, 29.76)))
    blobs = told(positions, here, there, elsewhere)
    assert {key: blob["handle"].tolist() for key, blob in blobs.items()} == {here: [0], there: [0]}
    assert positions.slots_in(here).tolist() == []
    assert positions.slots_in(there).tolist() == [0]


def test_nothing_is_told_of_a_track_before_it_is_introduced(positions: Positions) -> None:
    place = key_of(-95.7, 29.9)
    positions.apply(AGENCY, records((3, -95.7, 29.9)))
    assert told(positions, place) == {}
    assert positions.unnamed == {3: AGENCY}
    positions.introduce(AGENCY, introduced(3))
    assert told(positions, place)[place]["handle"].tolist() == [2]
    assert positions.unnamed == {}


def test_a_track_that_is_gone_leaves_its_tile_and_its_handle_is_not_given_away(positions: Positions) -> None:
    place = key_of(-95.36, 29.76)
    positions.remove([1])
    assert told(positions, place)[place].tolist() == []
    positions.introduce(AGENCY, introduced(9))
    positions.apply(AGENCY, records((9, -95.36, 29.76)))
    assert told(positions, place)[place]["handle"].tolist() == [2]
    assert positions.count(AGENCY) == 2


def test_the_last_of_two_records_of_a_track_counts(positions: Positions) -> None:
    positions.apply(AGENCY, records((1, -95.5, 29.76), (1, -95.6, 29.76)))
    assert positions.slots_in(key_of(-95.5, 29.76)).tolist() == []
    assert positions.slots_in(key_of(-95.6, 29.76)).tolist() == [0]


def test_it_grows_and_keeps_agencies_apart() -> None:
    positions = Positions(capacity=2)
    for agency in (1, 2):
        tracks = range(agency * 100, agency * 100 + 40)
        positions.introduce(agency, introduced(*tracks))
        positions.apply(agency, records(*((track, -95.36, 29.76) for track in tracks)))
    assert positions.count(1) == positions.count(2) == 40
    assert set(positions.slots_in(key_of(-95.36, 29.76, 1)).tolist()) == set(range(40))
    assert positions.slots_in(all_key(2)).tolist() == list(range(40, 80))


def test_a_view_watches_the_tiles_that_it_touches_and_a_wide_one_everything() -> None:
    assert watched_keys((-95.37, 29.75, -95.35, 29.77), [AGENCY]) == tuple(
        sorted({key_of(lon, lat) for lon in (-95.37, -95.36, -95.35) for lat in (29.75, 29.76, 29.77)})
    )
    assert watched_keys((-96, 29, -95, 30), [1, 2]) == (all_key(1), all_key(2))
    assert watched_keys((179, 0, -179, 1), [AGENCY]) == ()
    assert len(watched_keys((-95.8, 29.5, -95.2, 30.0), [AGENCY])) <= WIDE_VIEW
    assert address_of(all_key(3)) == (3, ALL_TILES, ALL_TILES)


@pytest.mark.parametrize("size", [0, 5, 6, 3000, 4000])
def test_a_frame_is_one_websocket_message_around_its_number(size: int) -> None:
    before, after = frame_parts([b"x" * 20] * size, 5.5)
    message = before + struct.pack("<I", 9) + after
    short = message[1] & 127
    start, length = {126: (4, int.from_bytes(message[2:4])), 127: (10, int.from_bytes(message[2:10]))}.get(short, (2, short))
    assert (message[0], len(message) - start) == (0x82, length)
    assert struct.unpack_from("<HHId", message, start) == (1, size, 9, 5.5)
