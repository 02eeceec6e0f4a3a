"""Recorded data as streams of events; small files made here, and the real ones when asked for."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.demo.recordings import recording_of
from apps.demo.recordings.contract import UnknownRecording
from apps.demo.recordings.houston import priority

T0 = datetime(2021, 6, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def row(first: int, last: int, **more: Any) -> dict[str, Any]:
    """A call that is seen from minute `first` to minute `last`."""
    seen = {"call_time": T0 + (first - 5) * MINUTE, "first_seen": T0 + first * MINUTE, "last_seen": T0 + last * MINUTE}
    facts = {"agency": "P", "type_first": "CRASH/MINOR", "type_last": "CRASH/MINOR", "alarm_level": 0, "units": "1A10 2B20"}
    place = {"address": "1 MAIN ST", "cross_street": "ELM", "lon": -95.4, "lat": 29.7}
    return {**seen, **facts, **place, **more}


def parquet(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "calls.parquet"
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def told(path: Path, start: datetime, end: datetime) -> list[tuple[float, str, str]]:
    """Return (minute, number, state) of every event."""
    return [((at - T0) / MINUTE, part["number"], part["state"]) for at, part in recording_of(path).events(start, end)]


def test_a_call_is_open_until_one_poll_after_it_was_last_seen(tmp_path: Path) -> None:
    path = parquet(tmp_path, row(0, 30))
    assert told(path, T0 - MINUTE, T0 + 60 * MINUTE) == [(0, "P-0", "active"), (45, "P-0", "closed")]


def test_calls_that_are_open_at_the_start_come_first_with_their_own_time(tmp_path: Path) -> None:
    path = parquet(tmp_path, row(-300, -20), row(-300, -10), row(3, 5))
    assert told(path, T0, T0 + 10 * MINUTE) == [(-300, "P-1", "active"), (3, "P-2", "active"), (5, "P-1", "closed")]


def test_a_changed_type_is_an_update_when_it_was_last_seen(tmp_path: Path) -> None:
    path = parquet(tmp_path, row(0, 30, type_last="CRASH/MAJOR"))
    events = list(recording_of(path).events(T0, T0 + 60 * MINUTE))
    assert [(event.part["state"], event.part.get("type")) for event in events] == [
        ("active", "CRASH/MINOR"),
        ("active", "CRASH/MAJOR"),
        ("closed", None),
    ]
    assert events[1].at == T0 + 30 * MINUTE


def test_a_call_without_coordinates_or_units_is_unlocated_and_waiting(tmp_path: Path) -> None:
    path = parquet(tmp_path, row(0, 10, lon=None, lat=None, units=None), row(0, 10))
    part = next(recording_of(path).events(T0, T0 + MINUTE)).part
    assert "lon" not in part
    assert part["state"] == "waiting"
    assert part["units"] == []


def test_events_are_in_the_order_of_time(tmp_path: Path) -> None:
    path = parquet(tmp_path, row(20, 25), row(0, 2), row(10, 40))
    minutes = [minute for minute, _, _ in told(path, T0, T0 + 120 * MINUTE)]
    assert minutes == sorted(minutes)


@pytest.mark.parametrize(
    ("type", "alarm", "code"),
    [
        ("House on Fire", 0, "1"),
        ("Ems Event", 0, "2"),
        ("Ems Event", 2, "1"),
        ("CRASH/MINOR", 0, "3"),
        ("TRAFFIC HAZARD/NON URGENT", 0, "4"),
    ],
)
def test_priorities_are_read_from_the_type(type: str, alarm: int, code: str) -> None:
    assert priority(type, alarm) == code


def cab(folder: Path, name: str, *lines: str) -> None:
    (folder / f"new_{name}.txt.gz").write_bytes(gzip.compress("\n".join(lines).encode()))


def test_cabs_are_units_named_by_their_file_oldest_first_and_merged(tmp_path: Path) -> None:
    cab(tmp_path, "abc", "37.7 -122.4 0 1211033600", "37.8 -122.4 1 1211033500")
    cab(tmp_path, "xyz", "37.6 -122.4 0 1211033550")
    recording = recording_of(tmp_path)
    start, end = recording.span()
    parts = [event.part for event in recording.events(start, end)]
    assert [(part["call_sign"], part["time"], part["status"]) for part in parts] == [
        ("ABC", 1211033500, "BSY"),
        ("XYZ", 1211033550, "AVL"),
        ("ABC", 1211033600, "AVL"),
    ]
    assert parts[0]["lat"] == 37.8
    assert recording.bodies(parts) == [{"fixes": parts}]


def test_polls_begin_with_the_one_before_the_start(tmp_path: Path) -> None:
    path = tmp_path / "polls.jsonl"
    lines = [json.dumps({"committed_at": T0.timestamp() + 60 * minute, "feed": {"features": [minute]}}) for minute in (0, 15, 30, 45)]
    path.write_text("\n".join(lines))
    parts = [event.part for event in recording_of(path).events(T0 + 20 * MINUTE, T0 + 40 * MINUTE)]
    assert [part["pages"][0]["features"] for part in parts] == [[15], [30]]
    assert parts[0]["polled_at"] == (T0 + 15 * MINUTE).timestamp() * 1000


def test_it_says_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "notes.pdf").write_text("x")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "broken.jsonl").write_text("{}")
    with pytest.raises(UnknownRecording, match="none of the recordings"):
        recording_of(tmp_path / "notes.pdf")
    with pytest.raises(UnknownRecording, match="lacks the columns"):
        recording_of(tmp_path / "other.parquet")
    with pytest.raises(UnknownRecording, match="not a recording of polls"):
        recording_of(tmp_path / "broken.jsonl").span()
    (tmp_path / "broken.txt").write_text("37.7 -122.4 0")
    with pytest.raises(UnknownRecording, match="not a cab's GPS file"):
        recording_of(tmp_path / "broken.txt").span()
    with pytest.raises(UnknownRecording, match="there is no file"):
        recording_of(tmp_path / "missing.txt")


@pytest.mark.recorded
def test_a_houston_day_has_its_calls(recorded: Path) -> None:
    recording = recording_of(recorded / "calls" / "houston_cad_2021.parquet")
    day = datetime(2021, 6, 15, tzinfo=UTC)
    events = list(recording.events(day, day + timedelta(days=1)))
    opened = {event.part["number"] for event in events if event.part["state"] != "closed"}
    assert len(opened) == 1416
    assert [event.at for event in events] == sorted(event.at for event in events)


@pytest.mark.recorded
def test_every_cab_and_every_poll_is_read(recorded: Path) -> None:
    cabs = recording_of(recorded / "gps" / "cabspotting")
    assert sum(1 for _ in cabs.events(*cabs.span())) == 110_714
    polls = recording_of(recorded / "protocols" / "arcgis" / "houston_active_incidents_polls_2025-03-14.jsonl.gz")
    assert sum(len(event.part["pages"][0]["features"]) for event in polls.events(*polls.span())) == 5_873
