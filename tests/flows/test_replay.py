"""The simulated patrol, and recorded data in its place: what was there before is gone, and comes back when asked for."""

import gzip
import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.accounts.instance import read_instance
from apps.accounts.models import Agency, Member
from apps.boundaries.models import Boundary
from apps.demo import city, opening
from apps.demo.driving import drive
from apps.demo.recordings import recording_of
from apps.demo.replay import run
from apps.geofences.models import Fence
from apps.incidents.models import Call
from apps.ingest.models import Reject, Source, SourceKey
from apps.tracks.models import Position, Track
from tests.live_map import LiveMap, sign_in
from tests.running import RunningSystem, wait_until

T0 = datetime(2021, 6, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def seen(theater: RunningSystem) -> Iterator[LiveMap]:
    """The administrator's map on a demonstration that shows the simulated patrol."""
    if not Source.objects.filter(slug="patrol", enabled=True).exists():
        opening.back_to_patrol()
    with LiveMap(theater.live_url, cookie=sign_in(Member.objects.get(username="admin")), origin=theater.url) as live:
        live.until(lambda: live.seen.hello, what="hello")
        yield live


def patrol(steps: int = 3) -> None:
    drive(say=lambda text: None, steps=steps)


def calls_file(folder: Path) -> Path:
    """Three calls: one that is open all the time, one that ends at minute 20, one that begins at minute 10, unlocated."""
    plain = {"agency": "P", "type_first": "CRASH/MINOR", "type_last": "CRASH/MINOR", "alarm_level": 0, "units": "1A10"}
    plain |= {"address": "1 MAIN ST", "cross_street": "ELM", "lon": -95.4, "lat": 29.7}
    times = [(-60, 120), (-60, 5), (10, 120)]
    rows: list[dict[str, Any]] = [
        plain | {"call_time": T0 + first * MINUTE, "first_seen": T0 + first * MINUTE, "last_seen": T0 + last * MINUTE}
        for first, last in times
    ]
    rows[2] |= {"lon": None, "lat": None}
    path = folder / "calls.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_the_demonstration_is_prepared_once(theater: RunningSystem) -> None:
    def counts() -> tuple[int, ...]:
        return tuple(model.objects.count() for model in (Agency, Boundary, Fence, Source, SourceKey))

    before = counts()
    city.prepare(at=datetime.now(UTC), state_folder=theater.state)
    assert counts() == before
    assert Boundary.objects.filter(agency__slug="harbor").count() == 20
    assert (theater.state / "basemap.geojson").exists()
    assert (theater.state / "demo-keys.json").stat().st_mode & 0o777 == 0o600


def test_the_patrol_drives_on_the_map(seen: LiveMap) -> None:
    patrol()
    seen.until(lambda: len(seen.units("harbor")) > 30, what="the patrol's units")
    seen.until(lambda: seen.calls("harbor"), what="its first call")
    assert not Reject.objects.exists()


def test_a_replay_takes_the_place_of_the_patrol_and_gives_it_back(seen: LiveMap, theater: RunningSystem, tmp_path: Path) -> None:
    patrol()
    seen.until(lambda: seen.units("harbor"), what="the patrol's units")
    printed = theater.manage(
        "replay", str(calls_file(tmp_path)), "--speed", "600", "--from", "2021-06-15T12:00", "--to", "2021-06-15T12:30"
    )
    assert "EMPT" in printed.upper()
    assert "acknowledged: 4 sent" in printed
    assert "0 rejected" in printed
    seen.until(lambda: set(seen.calls("houston")) == {"P-0", "P-2"}, what="the calls that are open at minute 30")
    assert seen.seen.resets > 0
    assert seen.units("harbor") == {}
    patrol(steps=2)
    assert not Track.objects.filter(origin="simulated").exists()
    assert read_instance().clock.now() - (T0 + 30 * MINUTE) < timedelta(minutes=5)

    theater.manage("replay", "--stop")
    patrol()
    seen.until(lambda: len(seen.units("harbor")) > 30 and not seen.calls("houston"), what="the patrol again, and no replayed call")
    assert not Call.objects.filter(origin="replayed").exists()


def test_it_sends_step_by_step_for_who_wants_to_look_in_between(seen: LiveMap, tmp_path: Path) -> None:
    replay = opening.open_replay(recording_of(calls_file(tmp_path)), start=T0, end=T0 + 60 * MINUTE, speed=600)
    for minute, open_calls in ((0, {"P-0", "P-1"}), (15, {"P-0", "P-1", "P-2"}), (20, {"P-0", "P-2"})):
        run(replay.sender, generation=replay.generation, end=T0 + minute * MINUTE, tell=lambda count, now: None)
        replay.sender.wait_until_processed()
        seen.until(lambda expected=open_calls: set(seen.calls("houston")) == expected, what=f"the calls of minute {minute}")
    assert seen.calls("houston")["P-2"]["geometry"] is None


def test_nothing_is_sent_before_its_time(seen: LiveMap, tmp_path: Path) -> None:
    replay = opening.open_replay(recording_of(calls_file(tmp_path)), start=T0, end=T0 + 60 * MINUTE, speed=1)
    replay.sender.send_until(read_instance().clock.now())
    assert replay.sender.count.accepted == 2
    assert replay.sender.next_at == T0 + 10 * MINUTE
    assert not Reject.objects.exists()


def test_cabs_are_replayed_as_units(seen: LiveMap, tmp_path: Path) -> None:
    start = datetime(2008, 5, 20, 12, tzinfo=UTC)
    lines = [f"37.75 {-122.40 + second / 100_000} 1 {int(start.timestamp()) + second}" for second in range(60, -1, -10)]
    (tmp_path / "new_abc.txt.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    replay = opening.open_replay(recording_of(tmp_path), start=start, end=start + MINUTE, speed=60)
    run(replay.sender, generation=replay.generation, end=replay.end, tell=lambda count, now: None)
    replay.sender.wait_until_processed()
    assert (replay.sender.count.accepted, replay.sender.count.rejects) == (7, 0)
    seen.until(lambda: seen.units("sanfrancisco").get("ABC", (0,))[0] == pytest.approx(-122.3994, abs=1e-6), what="the cab's last place")
    assert Position.objects.get().observed_at == start + MINUTE


def test_polls_of_a_board_are_replayed(seen: LiveMap, tmp_path: Path) -> None:
    def feature(minute: int) -> dict[str, Any]:
        facts = {"Agency": "P", "CALL_TIME": (T0.timestamp() + 60 * minute) * 1000, "LONGITUDE": -95.4, "LATITUDE": 29.7}
        return {"attributes": facts | {"IncidentType": f"TYPE {minute}", "Units": "1A10,1A11", "Address": "1 MAIN ST", "CrossStreet": ""}}

    polls = [(0, [-5, -3]), (5, [-3, 2])]
    lines = [
        json.dumps({"committed_at": T0.timestamp() + 60 * at, "feed": {"features": [feature(one) for one in seen_then]}})
        for at, seen_then in polls
    ]
    path = tmp_path / "polls.jsonl"
    path.write_text("\n".join(lines))
    replay = opening.open_replay(recording_of(path), start=T0, end=T0 + 5 * MINUTE, speed=600)
    run(replay.sender, generation=replay.generation, end=replay.end, tell=lambda count, now: None)
    replay.sender.wait_until_processed()
    seen.until(
        lambda: {call["type"] for call in seen.calls("houston").values()} == {"TYPE -3", "TYPE 2"},
        what="the second poll's calls, without the ended one",
    )


def test_a_replay_survives_a_front_door_that_is_killed(seen: LiveMap, theater: RunningSystem, tmp_path: Path) -> None:
    replay = opening.open_replay(recording_of(calls_file(tmp_path)), start=T0, end=T0 + 60 * MINUTE, speed=600)
    theater.kill("web")
    theater.start("web")
    run(replay.sender, generation=replay.generation, end=T0 + 30 * MINUTE, tell=lambda count, now: None)
    replay.sender.wait_until_processed()
    wait_until(lambda: Call.objects.exclude(state="closed").count() == 2, within_s=10, what="the two calls of minute 30")
    assert replay.sender.count.accepted == replay.sender.count.sent


def test_the_patrol_goes_on_after_a_restart(seen: LiveMap, theater: RunningSystem) -> None:
    patrol()
    before = {track.identity for track in Track.objects.all()}
    time.sleep(1)
    patrol()
    assert {track.identity for track in Track.objects.all()} >= before
    assert (theater.state / "patrol.json").exists()


def test_calls_that_an_earlier_run_forgot_are_closed(seen: LiveMap, theater: RunningSystem) -> None:
    patrol()
    seen.until(lambda: seen.calls("harbor"), what="a call of the first run")
    before = set(seen.calls("harbor"))
    (theater.state / "patrol.json").unlink()
    patrol()
    seen.until(lambda: not before & set(seen.calls("harbor")), what="no call of the forgotten run")


def test_the_patrol_survives_a_front_door_that_is_killed(seen: LiveMap, theater: RunningSystem) -> None:
    theater.start("patrol")
    try:
        wait_until(Position.objects.exists, within_s=30, what="the patrol's first fixes")
        theater.kill("web")
        theater.start("web")
        restarted = datetime.now(UTC)
        wait_until(Position.objects.filter(observed_at__gt=restarted).exists, within_s=30, what="fixes from after the restart")
        assert theater.processes["patrol"].poll() is None
        assert not Reject.objects.exists()
    finally:
        theater.kill("patrol", signal.SIGTERM)
