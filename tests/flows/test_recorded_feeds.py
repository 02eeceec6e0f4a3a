"""Real recordings besides Houston's year: cabs as units, and raw polls of a board."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apps.accounts.models import Member
from apps.demo.opening import Replay, open_replay
from apps.demo.recordings import recording_of
from apps.demo.replay import run
from apps.incidents.models import Call
from apps.ingest.models import Outcome
from tests.live_map import LiveMap, sign_in
from tests.running import RunningSystem


@pytest.fixture
def seen(theater: RunningSystem) -> Iterator[LiveMap]:
    with LiveMap(theater.live_url, cookie=sign_in(Member.objects.get(username="admin")), origin=theater.url) as live:
        yield live


def play(path: Path, start: datetime, hours: float, speed: float) -> Replay:
    """Replay some hours to their end; every event must be accepted."""
    replay = open_replay(recording_of(path), start=start, end=start + timedelta(hours=hours), speed=speed)
    run(replay.sender, generation=replay.generation, end=replay.end, tell=lambda count, now: None)
    replay.sender.wait_until_processed()
    assert replay.sender.count.rejects == 0
    assert not Outcome.objects.filter(outcome="set_aside").exists()
    return replay


@pytest.mark.recorded
def test_san_franciscos_cabs_drive_as_units(recorded: Path, seen: LiveMap) -> None:
    folder = recorded / "gps" / "cabspotting"
    replay = play(folder, datetime(2008, 5, 20, 18, tzinfo=UTC), hours=2, speed=600)
    expected = {}
    for file in folder.glob("*.txt.gz"):
        lines = [line.split() for line in gzip.decompress(file.read_bytes()).decode().splitlines()]
        during = [line for line in lines if replay.start.timestamp() <= int(line[3]) <= replay.end.timestamp()]
        if during:
            newest = max(during, key=lambda line: int(line[3]))
            expected[file.name.split(".")[0].removeprefix("new_").upper()] = (float(newest[1]), float(newest[0]))
    assert len(expected) >= 4

    def places() -> dict[str, tuple[float, float]]:
        return {name: (round(lon, 6), round(lat, 6)) for name, (lon, lat, _) in seen.units("sanfrancisco").items()}

    seen.until(
        lambda: places() == {name: (round(lon, 6), round(lat, 6)) for name, (lon, lat) in expected.items()}, what="every cab where it was"
    )


@pytest.mark.recorded
def test_raw_polls_of_a_board_show_what_the_last_poll_showed(recorded: Path, seen: LiveMap) -> None:
    path = recorded / "protocols" / "arcgis" / "houston_active_incidents_polls_2025-03-14.jsonl.gz"
    polls = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    start = datetime.fromtimestamp(polls[10]["committed_at"], UTC)
    replay = play(path, start, hours=8, speed=3600)
    last = max((poll for poll in polls if poll["committed_at"] <= replay.end.timestamp()), key=lambda poll: poll["committed_at"])
    shown = sorted((one["attributes"]["IncidentType"], one["attributes"]["Address"] or "") for one in last["feed"]["features"])


    def on_the_map() -> list[tuple[str, str]]:
        return sorted((call["type"], call["address"]) for call in seen.calls("houston").values())

    try:
        seen.until(lambda: on_the_map() == shown, what="the last poll's calls")
    except AssertionError as error:
        raise AssertionError(f"{error}: too many {set(on_the_map()) - set(shown)}, missing {set(shown) - set(on_the_map())}") from error
    assert Call.objects.filter(state="closed").count() > len(shown)
