"""Each adapter on bytes as senders write them."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from apps.geo.clock import microseconds
from apps.incidents.observations import BoardPoll, CallReport
from apps.ingest.adapters import ADAPTERS
from apps.ingest.adapters.contract import Ignored, Item, Rejected, Unreadable
from apps.tracks.observations import Fix

AT = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
AT_US = microseconds(AT)


def parse(adapter: str, payload: bytes | Any, **settings: Any) -> list[Item]:
    raw = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    return list(ADAPTERS[adapter].parse(raw, received_at=AT, settings=settings))


def fix(item: Item) -> Fix:
    assert isinstance(item, Fix), item
    return item


def call(item: Item) -> CallReport:
    assert isinstance(item, CallReport), item
    return item


def rejected(item: Item) -> Rejected:
    assert isinstance(item, Rejected), item
    return item


FULL = {
    "id": "veh-12", "time": "2026-11-22T23:00:00Z", "lon": -95.36, "lat": 29.76, "speed_mps": 12.1, "heading_deg": 271, "accuracy_m": 4,
    "altitude_m": 12, "call_sign": "4A12", "status": "ENR", "name": "Car 12", "kind": "car",
}  # fmt: skip


def test_our_fixes_carry_all_their_fields() -> None:
    told = fix(parse("fixes", {"fixes": [FULL]})[0])
    assert told == Fix("veh-12", AT_US, -95.36, 29.76, 12.1, 271.0, 4.0, 12.0, "ENR", "4A12", "Car 12", "car")


@pytest.mark.parametrize("time", ["2026-11-22T23:00:00Z", "2026-11-22T17:00:00-06:00", AT_US / 1e6, AT_US // 10**6])
def test_a_time_is_iso_with_a_zone_or_seconds(time: object) -> None:
    assert fix(parse("fixes", {"fixes": [{**FULL, "time": time}]})[0]).observed_us == AT_US


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "missing_identity"), ({"id": ""}, "missing_identity"), ({"id": "x" * 121}, "too_long"), ({"id": {}}, "unparsable"),
        ({"id": " "}, "missing_identity"), ({"id": "\t \n"}, "missing_identity"), ({"id": "\u00a0"}, "missing_identity"),
        ({"id": "a\x00"}, "unparsable"), ({"time": None}, "missing_time"), ({"time": "noon"}, "missing_time"),
        ({"time": "2026-11-22T23:00:00"}, "missing_time"), ({"lon": None}, "not_a_number"), ({"lat": "north"}, "not_a_number"),
        ({"status": "x" * 17}, "too_long"), ({"call_sign": "x" * 25}, "too_long"), ({"name": []}, "unparsable"),
    ],
)  # fmt: skip
def test_a_fix_that_lacks_something_is_turned_away_alone_with_its_bytes(change: dict[str, object], reason: str) -> None:
    items = parse("fixes", {"fixes": [FULL, {**FULL, **change}, FULL]})
    assert [type(item) for item in items] == [Fix, Rejected, Fix]
    assert rejected(items[1]).reason == reason
    assert rejected(items[1]).part.startswith(b"{")


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"id": 12}, "identity", "12"), ({"heading_deg": 360}, "heading_deg", 0), ({"heading_deg": -1}, "heading_deg", None),
        ({"speed_mps": -3}, "speed_mps", None), ({"speed_mps": "12.5"}, "speed_mps", 12.5), ({"accuracy_m": 1e300}, "accuracy_m", None),
        ({"lon": "-95.5"}, "lon", -95.5), ({"name": "Zoë \ud83d"}, "name", "Zoë ?"), ({"call_sign": ""}, "call_sign", None),
    ],
)  # fmt: skip
def test_what_can_be_repaired_is_repaired(change: dict[str, object], field: str, value: object) -> None:
    import json

    told = fix(parse("fixes", json.dumps({"fixes": [{**FULL, **change}]}).encode())[0])
    assert getattr(told, field) == value


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"fixes": 5}', b"\x00\xff", b'{"fixes":[', b"[" * 100_000, b'"' + b"9" * 5000])
def test_a_body_that_is_no_batch_is_unreadable(payload: bytes) -> None:
    with pytest.raises(Unreadable):
        parse("fixes", payload)


def test_geojson_points_are_fixes_by_a_mapping_of_properties() -> None:
    properties = {"unit": "E12", "gps": "2026-11-22T23:00:00Z", "spd": 3}
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [-95.1, 29.1, 7]}, "properties": properties}
    line = {**point, "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}
    items = parse(
        "geojson",
        {"type": "FeatureCollection", "features": [point, line, {**point, "geometry": None}]},
        properties={"id": "unit", "time": "gps", "speed_mps": "spd"},
    )
    assert fix(items[0]) == Fix("E12", AT_US, -95.1, 29.1, speed_mps=3.0, altitude_m=7.0)
    assert [rejected(item).reason for item in items[1:]] == ["unknown_type", "unknown_type"]
    lone = {"type": "Feature", "id": 7, "geometry": point["geometry"], "properties": {"time": "2026-11-22T23:00:00Z"}}
    assert fix(parse("geojson", lone)[0]).identity == "7"


LOCATION = {"_type": "location", "tid": "ph", "lat": 29.7, "lon": -95.3, "tst": AT_US // 10**6, "created_at": AT_US // 10**6 + 900}


def test_owntracks_sends_kilometers_an_hour_and_names_its_device_by_topic() -> None:
    told = fix(parse("owntracks", {**LOCATION, "topic": "owntracks/dana/pixel", "vel": 36, "acc": 12, "alt": 30, "cog": 90})[0])
    assert told == Fix("dana/pixel", AT_US, -95.3, 29.7, speed_mps=10.0, heading_deg=90.0, accuracy_m=12.0, altitude_m=30.0)
    assert fix(parse("owntracks", LOCATION)[0]).identity == "ph"


@pytest.mark.parametrize("kind", ["lwt", "status", "transition", "waypoint", "waypoints", "cmd", "card"])
def test_owntracks_messages_without_a_fix_are_ignored_visibly(kind: str) -> None:
    items = parse("owntracks", [{"_type": kind, "tst": 1}, LOCATION])
    assert isinstance(items[0], Ignored)
    assert kind in items[0].detail
    assert isinstance(items[1], Fix)


def test_owntracks_that_cannot_be_read_is_turned_away() -> None:
    items = parse("owntracks", [{"_type": "encrypted", "data": "x"}, {"_type": "dance"}, 5, {**LOCATION, "tst": None}])
    assert [rejected(item).reason for item in items] == ["unknown_type", "unknown_type", "unparsable", "missing_time"]


@pytest.mark.parametrize("timestamp", [AT_US // 10**6, AT_US // 1000, "2026-11-22T23:00:00Z", "2026-11-22T23%3A00%3A00.000Z"])
def test_osmand_query_has_knots_and_three_ways_to_tell_the_time(timestamp: object) -> None:
    query = f"id=ph1&lat=29.7&lon=-95.3&timestamp={timestamp}&speed=10&bearing=45&altitude=9&accuracy=5&batt=80"
    told = fix(parse("osmand", query.encode())[0])
    assert told == Fix("ph1", AT_US, -95.3, 29.7, pytest.approx(5.14444, abs=1e-4), 45.0, 5.0, 9.0)


def test_osmand_json_has_meters_a_second_and_minus_one_for_unknown() -> None:
    coords = {"latitude": 29.7, "longitude": -95.3, "speed": 10, "heading": -1, "accuracy": 5, "altitude": 9}
    location = {"timestamp": "2026-11-22T23:00:00.000Z", "coords": coords, "battery": {"level": 0.8}}
    told = fix(parse("osmand", {"device_id": "ph1", "location": location})[0])
    assert told == Fix("ph1", AT_US, -95.3, 29.7, speed_mps=10.0, accuracy_m=5.0, altitude_m=9.0)
    queued_up = parse("osmand", {"device_id": "ph1", "location": [location, {"coords": coords}, {}]})
    assert [type(item) for item in queued_up] == [Fix, Rejected, Rejected]


@pytest.mark.parametrize("payload", [b"", b"nothing", b'{"device_id":"x"}', b"{"])
def test_osmand_without_fields_is_unreadable(payload: bytes) -> None:
    with pytest.raises(Unreadable):
        parse("osmand", payload)


CALL = {
    "number": "H-1", "sequence": 3, "time": "2026-11-22T23:00:00Z", "state": "active", "type": "FIRE", "priority": "1", "lon": -95.1,
    "lat": 29.2, "address": "1 Main", "cross_streets": "A / B", "units": ["4A12", " 4A13 "], "opened_at": "2026-11-22T22:50:00Z",
    "narrative": "smoke", "uncertainty_m": 30,
}  # fmt: skip


def test_a_call_carries_all_its_fields() -> None:
    told = call(parse("calls_json", {"calls": [CALL]})[0])
    assert told == CallReport(
        "H-1", 3, AT_US, "active", -95.1, 29.2, "FIRE", "1", AT_US - 600_000_000, "1 Main", "A / B", ("4A12", "4A13"), "smoke", 30.0
    )


def test_a_call_that_says_little_leaves_the_rest_unknown_and_its_time_is_its_sequence() -> None:
    told = call(parse("calls_json", {"calls": [{"number": 7, "time": AT_US / 1e6, "state": "Waiting"}]})[0])
    assert told == CallReport("7", AT_US, AT_US, "waiting")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"number": ""}, "missing_identity"), ({"number": "x" * 81}, "too_long"), ({"time": None}, "missing_time"),
        ({"state": "lost"}, "unknown_type"), ({"state": None}, "unknown_type"), ({"sequence": 2**70}, "out_of_range"),
        ({"sequence": "x"}, "unparsable"), ({"type": "x" * 161}, "too_long"), ({"units": 5}, "unparsable"),
        ({"units": ["x" * 25]}, "too_long"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_kept_is_turned_away(change: dict[str, object], reason: str) -> None:
    assert rejected(parse("calls_json", {"calls": [{**CALL, **change}]})[0]).reason == reason


CSV = "\ufeffEvent;Updated;St;What;X;Y;Who\n77;11/22/2026 17:00;DISP;FIRE, BIG;-95,1;29.2;4A1/4A2\n78;11/22/2026 17:00;;X;-95.1;29.2;\n"
CSV_SETTINGS = {
    "columns": {"number": "Event", "time": "Updated", "state": "St", "type": "What", "lon": "X", "lat": "Y", "units": "Who"},
    "delimiter": ";", "time_zone": "America/Chicago", "time_format": "%m/%d/%Y %H:%M", "units_separator": "/",
    "states": {"DISP": "waiting"},
}  # fmt: skip


def test_csv_is_read_by_its_mapping_zone_and_delimiter() -> None:
    first, second = (call(item) for item in parse("calls_csv", CSV.encode(), **CSV_SETTINGS))
    assert (first.number, first.observed_us, first.state, first.units) == ("77", AT_US, "waiting", ("4A1", "4A2"))
    assert str(first.lon) == "nan"
    assert (second.lon, second.state, second.units) == (-95.1, "active", ())


def test_csv_without_a_mapped_column_names_it() -> None:
    with pytest.raises(Unreadable, match='the column "Updated" \\(time\\) is missing'):
        parse("calls_csv", CSV.replace("Updated", "Changed").encode(), **CSV_SETTINGS)
    with pytest.raises(Unreadable, match="no column is mapped to number"):
        parse("calls_csv", b"a,b\n1,2\n")
    with pytest.raises(Unreadable, match="time_zone"):
        parse("calls_csv", CSV.encode(), **{**CSV_SETTINGS, "time_zone": "Mars/Base"})


def test_csv_with_our_own_names_needs_no_mapping_and_bad_lines_go_alone() -> None:
    text = b'number,time,state\nH-1,2026-11-22T23:00:00Z,active\nH-2,sometime,active\n"H-3\n",1795388400,closed\n'
    items = parse("calls_csv", text)
    assert [type(item) for item in items] == [CallReport, Rejected, CallReport]
    assert (rejected(items[1]).reason, rejected(items[1]).part) == ("missing_time", b"H-2,sometime,active\r\n")
    assert call(items[2]).state == "closed"


BOARD = {
    "fields": {
        "number_from": ["Agency", "CALL_TIME", "LATITUDE", "LONGITUDE"], "type": "IncidentType", "units": "Units", "opened_at": "CALL_TIME",
        "lon": "LONGITUDE", "lat": "LATITUDE",
    },
    "units_separator": ",",
}  # fmt: skip


def feature(**more: object) -> dict[str, object]:
    return {"attributes": {"Agency": "F", "CALL_TIME": 1795388000000, "IncidentType": "EMS", "Units": "E1,M2", "LONGITUDE": -95.1,
                           "LATITUDE": 29.2, **more}}  # fmt: skip


def test_a_boards_answer_is_calls_and_one_statement_of_who_is_on_it() -> None:
    items = parse("arcgis", {"features": [feature(), feature(Agency="P", Units="", LATITUDE=0)]}, **BOARD)
    first, second = call(items[0]), call(items[1])
    assert (first.state, first.units, first.type, first.opened_us, first.sequence) == (
        "active",
        ("E1", "M2"),
        "EMS",
        1795388000000000,
        AT_US,
    )
    assert (second.state, second.units, second.lon, second.lat) == ("waiting", (), None, None)
    assert items[2] == BoardPoll(-1, AT_US, (first.number, second.number))


def test_the_same_incident_keeps_its_number_when_its_units_change() -> None:
    before, after = (call(parse("arcgis", {"features": [feature(Units=units)]}, **BOARD)[0]) for units in ("E1", "E1,E2"))
    assert before.number == after.number
    twins = parse("arcgis", {"features": [feature(), feature()]}, **BOARD)
    assert call(twins[0]).number != call(twins[1]).number


@pytest.mark.parametrize(
    "page", [{"error": {"code": 500, "message": "no"}}, {"error": {}, "features": []}, {}, {"features": None}, [], "no"]
)
def test_an_error_with_status_200_ends_nothing(page: object) -> None:
    with pytest.raises(Unreadable):
        parse("arcgis", page, **BOARD)
    items = parse(
        "arcgis", {"polled_at": AT_US // 1000, "pages": [{"features": [feature()], "exceededTransferLimit": True}, page]}, **BOARD
    )
    assert [type(item) for item in items] == [CallReport, Rejected]


def test_an_answer_cut_short_ends_nothing() -> None:
    assert [type(item) for item in parse("arcgis", {"features": [feature()], "exceededTransferLimit": True}, **BOARD)] == [CallReport]
    nameless = parse("arcgis", {"features": [feature(), {"attributes": {}}, 5]}, **BOARD)
    assert [type(item) for item in nameless] == [CallReport, Rejected, Rejected]


def test_a_features_geometry_serves_when_no_attributes_are_named_and_a_lone_attribute_is_the_number() -> None:
    settings = {"fields": {"number_from": ["ID"]}}
    items = parse("arcgis", {"features": [{"attributes": {"ID": 5}, "geometry": {"x": -95.0, "y": 29.0}}]}, **settings)
    assert (call(items[0]).number, call(items[0]).lon, call(items[0]).lat) == ("5", -95.0, 29.0)
