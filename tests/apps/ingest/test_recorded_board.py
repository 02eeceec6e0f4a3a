"""The 90 raw answers of Houston's board, as the city's service sent them."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import Agency, Instance
from apps.incidents.observations import BoardPoll, CallReport
from apps.ingest.adapters import ADAPTERS
from tests.apps.ingest.conftest import Caller, make_feed, queued
from tests.apps.ingest.test_adapters import BOARD

pytestmark = pytest.mark.recorded


def polls(folder: Path) -> Iterator[tuple[datetime, dict[str, Any]]]:
    with gzip.open(folder / "protocols/arcgis/houston_active_incidents_polls_2025-03-14.jsonl.gz") as lines:
        for line in lines:
            poll = json.loads(line)
            yield datetime.fromtimestamp(poll["committed_at"], UTC), poll["feed"]


def test_every_poll_is_read_whole_and_numbers_are_stable_and_unique(recorded: Path) -> None:
    known: dict[str, tuple[Any, ...]] = {}
    seen = 0
    for at, feed in polls(recorded):
        items = ADAPTERS["arcgis"].parse(json.dumps(feed).encode(), received_at=at, settings=BOARD)
        calls = [item for item in items if isinstance(item, CallReport)]
        assert isinstance(items[-1], BoardPoll)
        assert len(calls) == len(feed["features"]) == len(set(items[-1].present)) == len(items) - 1
        for call, feature in zip(calls, feed["features"], strict=True):
            told = tuple(feature["attributes"][name] for name in ("Agency", "CALL_TIME", "LATITUDE", "LONGITUDE"))
            assert known.setdefault(call.number, told) == told
            assert call.opened_us == told[1] * 1000
        seen += len(calls)
    assert (seen, len(known) > 1000) == (5_873, True)


def test_the_polls_pass_the_front_door_of_a_demo(recorded: Path, agency: Agency, caller: Caller) -> None:
    at = next(polls(recorded))[0]
    Instance.objects.update(kind="demo", clock_t0=at, clock_real0=datetime.now(UTC), clock_speed=3600)
    board = make_feed(agency, "board", "arcgis", origin="replayed", **BOARD)
    feeds = [feed for _, feed in polls(recorded)][:10]
    for feed in feeds:
        body = {"polled_at": int(at.timestamp() * 1000), "pages": [feed]}
        answer = caller.post("board", body, key=board.key)
        assert (answer.status, answer.body["accepted"], answer.body["rejected"]) == (202, len(feed["features"]), [])
    observations = [item for _, parcel in queued() for item in parcel.observations]
    assert sum(isinstance(item, CallReport) for item in observations) == sum(len(feed["features"]) for feed in feeds)
    assert sum(isinstance(item, BoardPoll) for item in observations) == 64 * len(feeds)
