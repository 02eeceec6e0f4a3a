"""Houston's calls of 2021, replayed at 600×: at every checked moment the map, the board and the past show what was open.

The oracle reads the recording by itself: a call is open from `first_seen` until one poll (15 minutes) after `last_seen`.
"""

import signal
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import urllib3

from apps.accounts.instance import read_instance
from apps.accounts.models import Member
from apps.demo.opening import Replay, open_replay
from apps.demo.recordings import recording_of
from apps.demo.replay import run
from apps.incidents.models import Call
from apps.layers.models import LayerRevision
from tests.live_map import LiveMap, sign_in
from tests.running import RunningSystem

SPEED = 600
DAY = datetime(2021, 6, 15, tzinfo=UTC)
pool = urllib3.PoolManager(retries=False, timeout=30)


@dataclass(frozen=True)
class Plan:
    """When to pause and look, and for how long the pipeline is stopped in between."""

    start: datetime
    end: datetime
    before: tuple[datetime, ...]
    after: tuple[datetime, ...]
    stop_s: float


def moments(first: datetime, last: datetime, number: int) -> tuple[datetime, ...]:
    return tuple(first + (last - first) * (place / number) for place in range(1, number + 1))


def sharpened(even: tuple[datetime, ...], edges: list[datetime]) -> tuple[datetime, ...]:
    """Move every third moment onto the last edge before it (a call opens or closes then), and every third to one second before
    that, where the state differs most easily from what it should be."""
    sharp = []
    for place, at in enumerate(even):
        edge = edges[bisect_right(edges, at) - 1]
        sharp.append((at, edge, edge - timedelta(seconds=1))[place % 3])
    return tuple(sorted(sharp))


def plan_of(edges: list[datetime], *, long: bool) -> Plan:
    """The whole day with 50 moments and a backlog of 60 s, or four hours with 12 moments and 10 s. The stop falls between
    the two groups of moments; at 600× it lasts for hours of the recording."""
    start, hours, number, stop_s = (DAY, 24.0, 50, 60.0) if long else (DAY + timedelta(hours=12), 4.0, 12, 10.0)
    stopped = timedelta(seconds=stop_s * SPEED)
    end = start + timedelta(hours=hours)
    half = start + (end - start - stopped) / 2
    before, after = moments(start, half, number // 2), moments(half + stopped, end, number - number // 2)
    return Plan(start, end, sharpened(before, edges), sharpened(after, edges), stop_s)


class Oracle:
    """Which calls of the recording are open, by numpy over whole columns."""

    def __init__(self, path: Path) -> None:
        table = pq.read_table(path, columns=["first_seen", "last_seen", "agency", "lon", "lat"])
        self.first = table["first_seen"].to_numpy()
        self.last = table["last_seen"].to_numpy()
        self.agency = table["agency"].to_pylist()
        self.placed = ~(np.isnan(table["lon"].to_numpy()) | np.isnan(table["lat"].to_numpy()))

    def edges(self) -> list[datetime]:
        """Return the moments at which a call opens or closes, in order."""
        both = np.unique(np.concatenate([self.first, self.last + np.timedelta64(15, "m")]))
        return [datetime.fromtimestamp(us / 1e6, UTC) for us in both.astype("datetime64[us]").astype(np.int64)]

    def open_at(self, at: datetime) -> dict[str, bool]:
        """Return the numbers of the open calls, and whether each has a place."""
        then = np.datetime64(at.replace(tzinfo=None))
        rows = np.flatnonzero((self.first <= then) & (then < self.last + np.timedelta64(15, "m")))
        return {f"{self.agency[row]}-{row}": bool(self.placed[row]) for row in rows}


class Viewer:
    """What the administrator gets by REST."""

    def __init__(self, system: RunningSystem, cookie: str) -> None:
        self.system, self.cookie = system, cookie

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        answer = pool.request("GET", f"{self.system.url}{path}", fields=parameters, headers={"Cookie": self.cookie})
        assert answer.status == 200, f"{answer.status}: {answer.data[:500]!r}"
        return dict(answer.json())

    def calls(self, **parameters: str) -> dict[str, Any]:
        answer = self.get("/api/layers/calls/features", agency="houston", limit="1000", **parameters)
        assert answer["next"] is None
        return answer

    def board(self) -> list[str]:
        return [call["properties"]["number"] for call in self.get("/api/boards/calls")["calls"]]


def placed(features: list[dict[str, Any]]) -> dict[str, bool]:
    return {feature["properties"]["number"]: feature["geometry"] is not None for feature in features}


class Day:
    """The replay under test, and what was answered about `known` along the way."""

    def __init__(self, replay: Replay, oracle: Oracle, viewer: Viewer, seen: LiveMap) -> None:
        self.replay, self.oracle, self.viewer, self.seen = replay, oracle, viewer, seen
        self.answers: list[tuple[dict[str, str], dict[str, Any]]] = []

    def send_until(self, at: datetime) -> None:
        run(self.replay.sender, generation=self.replay.generation, end=at, tell=lambda count, now: None)

    def check(self, at: datetime) -> None:
        """Pause the sending at a moment; once all is processed, map, board and past must show what was open."""
        self.send_until(at)
        self.replay.sender.wait_until_processed()
        expected = self.oracle.open_at(at)
        assert expected, f"no call is open at {at}: nothing would be checked"
        self.check_map(at, expected)
        assert placed(self.viewer.calls(at=at.isoformat())["features"]) == expected
        assert placed(self.viewer.calls()["features"]) == expected
        board = self.viewer.board()
        assert sorted(board) == sorted(expected)
        unlocated = [number for number, has_place in expected.items() if not has_place]
        assert set(board[: len(unlocated)]) == set(unlocated)
        self.ask_what_was_known(at)

    def check_map(self, at: datetime, expected: dict[str, bool]) -> None:
        def on_map() -> dict[str, bool]:
            return placed(self.seen.of("calls", "houston"))

        try:
            self.seen.until(lambda: on_map() == expected, what=f"the calls of {at} on the map", within_s=20)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.whereabouts(on_map(), expected)}") from error

    def whereabouts(self, on_map: dict[str, bool], expected: dict[str, bool]) -> dict[str, object]:
        """Return what tells where a missing change got stuck: sender, database or hub."""
        seen = self.seen.seen
        return {
            "not on the map": expected.keys() - on_map.keys(),
            "on the map only": on_map.keys() - expected.keys(),
            "sent": (self.replay.sender.count, self.replay.sender.next_at),
            "open in the database": Call.objects.exclude(state="closed").count(),
            "revisions": list(LayerRevision.objects.values_list("layer", "agency_id", "rev")),
            "socket": (seen.seq, seen.gaps, seen.resets, seen.heartbeat.get("now"), seen.heartbeat.get("counts")),
        }

    def ask_what_was_known(self, at: datetime) -> None:
        """Ask for what is known by now; the answer says by when that is settled."""
        answer = self.viewer.calls(at=at.isoformat(), known=read_instance().clock.now().isoformat())
        self.answers.append(({"at": at.isoformat(), "known": answer["known"]}, answer))

    def check_that_nothing_known_has_changed(self) -> None:
        for question, before in self.answers:
            assert self.viewer.calls(**question)["features"] == before["features"], question


@pytest.fixture
def day(request: pytest.FixtureRequest, recorded: Path, theater: RunningSystem) -> Iterator[tuple[Day, Plan, RunningSystem]]:
    path = recorded / "calls" / "houston_cad_2021.parquet"
    oracle = Oracle(path)
    plan = plan_of(oracle.edges(), long=request.config.getoption("--long"))
    replay = open_replay(recording_of(path), start=plan.start, end=plan.end, speed=SPEED)
    cookie = sign_in(Member.objects.get(username="admin"))
    with LiveMap(theater.live_url, cookie=cookie, origin=theater.url) as seen:
        yield Day(replay, oracle, Viewer(theater, cookie), seen), plan, theater


@pytest.mark.recorded
def test_a_day_of_calls_shows_what_was_open_at_every_moment(day: tuple[Day, Plan, RunningSystem]) -> None:
    story, plan, system = day
    for at in plan.before:
        story.check(at)
    system.kill("pipeline", signal.SIGSTOP)
    resumed = time.monotonic() + plan.stop_s
    missed = moments(plan.before[-1], plan.before[-1] + timedelta(seconds=plan.stop_s * SPEED), 8)
    for at in missed:
        story.send_until(at)
        story.ask_what_was_known(at)
    time.sleep(max(0.0, resumed - time.monotonic()))
    system.kill("pipeline", signal.SIGCONT)
    for at in plan.after:
        story.check(at)
    for at in missed:
        assert placed(story.viewer.calls(at=at.isoformat())["features"]) == story.oracle.open_at(at)
    story.check_that_nothing_known_has_changed()
    count = story.replay.sender.count
    assert (count.accepted, count.rejects) == (count.sent, 0)
    assert len(story.answers) == len(plan.before) + len(plan.after) + len(missed)
