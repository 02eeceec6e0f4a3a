"""Boards are polled; what the pollers bring goes the same way as any post."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest

from apps.accounts.models import Agency, Instance
from apps.incidents.observations import BoardPoll, CallReport
from apps.ingest.listener import Listener
from apps.ingest.models import OutboundUse, Post, Reject, Source, SourceHealth
from apps.ingest.polling import query_address
from tests.apps.ingest.board_server import Board, board_server
from tests.apps.ingest.conftest import kill_sessions, make_feed, queued
from tests.apps.ingest.test_adapters import BOARD, feature


class Running:
    """A Listener in a thread with a loop of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self) -> None:
        self.task = self.loop.create_task(Listener().run())
        with suppress(asyncio.CancelledError):
            self.loop.run_until_complete(self.task)
        self.loop.close()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.task.cancel)
        self.thread.join(10)


@pytest.fixture
def board() -> Iterator[Board]:
    with board_server() as board:
        board.features = [feature(CALL_TIME=1_795_388_000_000 + at) for at in range(5)]
        yield board


@pytest.fixture
def listening(agency: Agency) -> Iterator[Running]:
    running = Running()
    yield running
    running.stop()


def eventually(condition: Callable[[], Any], within_s: float = 15) -> Any:
    until = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.1)
    return found


def polled(agency: Agency, board: Board, **settings: Any) -> Source:
    return make_feed(agency, "board", "arcgis", url=board.url, poll_s=0.3, **{"allow_private": True, **BOARD, **settings}).source


def health() -> SourceHealth:
    return SourceHealth.objects.get()


def test_all_pages_of_a_board_become_one_post_of_calls_and_who_is_present(listening: Running, agency: Agency, board: Board) -> None:
    polled(agency, board)
    receipt = str(eventually(lambda: Post.objects.order_by("id").first()).id)
    observations = [item for _, parcel in queued(receipt) for item in parcel.observations]
    calls = [item for item in observations if isinstance(item, CallReport)]
    polls = [item for item in observations if isinstance(item, BoardPoll)]
    assert (len(calls), len(polls), {poll.shard for poll in polls}) == (5, 64, set(range(64)))
    assert {number for poll in polls for number in poll.present} == {call.number for call in calls}
    assert [path.partition("resultOffset=")[2].split("&")[0] for path in board.requests[:3]] == ["", "2", "4"]
    assert eventually(lambda: OutboundUse.objects.first()).last_result == "answered"


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [(500, b"", "status 500"), (200, b"<html>", "not JSON"), (200, b'{"error":{"code":499}}', "error"), (200, b'{"x":1}', "no features")],
)
def test_a_failed_poll_ends_nothing_and_is_told(
    listening: Running, agency: Agency, board: Board, status: int, body: bytes, told: str
) -> None:
    board.respond = lambda _: (status, {}, body)
    polled(agency, board)
    eventually(lambda: SourceHealth.objects.exclude(last_error_at=None).first())
    assert told in health().last_error
    assert queued() == []
    assert Reject.objects.exists() == (status == 200 and body.startswith(b"{"))


def test_a_loopback_address_is_not_called_unless_the_administrator_said_so(listening: Running, agency: Agency, board: Board) -> None:
    source = polled(agency, board, allow_private=False)
    eventually(lambda: SourceHealth.objects.exclude(last_error_at=None).first())
    assert "not in the list" in health().last_error
    assert (board.requests, Post.objects.count()) == ([], 0)
    source.settings["allow_private"] = True
    source.save()
    assert eventually(lambda: Post.objects.exists())


def test_a_source_of_another_world_is_not_polled(listening: Running, agency: Agency, board: Board) -> None:
    Instance.objects.update(kind="demo", clock_t0=datetime(2021, 1, 1, tzinfo=UTC), clock_real0=datetime.now(UTC))
    source = Source(agency=agency, slug="board", name="b", adapter="arcgis", origin="live")
    source.settings = {"url": board.url, "allow_private": True, **BOARD}
    source.save()
    eventually(lambda: SourceHealth.objects.exclude(last_error_at=None).first())
    assert "holds no live data" in health().last_error
    assert (board.requests, Post.objects.count()) == ([], 0)


def test_polling_goes_on_after_its_connections_were_killed(listening: Running, agency: Agency, board: Board) -> None:
    polled(agency, board)
    eventually(lambda: Post.objects.exists())
    kill_sessions("rtcc listen")
    before = Post.objects.count()
    assert eventually(lambda: Post.objects.count() > before + 1)


def test_a_source_that_is_switched_off_is_left_alone(listening: Running, agency: Agency, board: Board) -> None:
    source = polled(agency, board)
    eventually(lambda: Post.objects.exists())
    Source.objects.filter(pk=source.pk).update(enabled=False)
    time.sleep(2.5)
    seen = len(board.requests)
    time.sleep(1.5)
    assert len(board.requests) == seen


@pytest.mark.parametrize(
    "url", ["http://x/MapServer/0", "http://x/MapServer/0/", "http://x/MapServer/0/query", "http://x/MapServer/0/query?f=html"]
)
def test_a_layers_address_and_its_querys_are_the_same(url: str) -> None:
    assert query_address(url) == "http://x/MapServer/0/query"
