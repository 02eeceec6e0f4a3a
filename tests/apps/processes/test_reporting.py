"""A process tells that it lives, what it counted, and whether its own work goes round."""

import threading
import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone

from apps.processes import reporting
from apps.processes.counting import Counts, counts
from apps.processes.models import Process
from apps.processes.queries import running


def test_a_count_adds_up_and_a_reading_is_read_when_it_is_told() -> None:
    own, clients = Counts(), [1, 2]
    own.add("door_answers[202]")
    own.add("door_answers[202]", 2)
    own.read("live_clients", lambda: len(clients))
    clients.append(3)
    assert own.values() == {"door_answers[202]": 3, "live_clients": 3}


def test_a_duration_is_counted_in_its_bucket() -> None:
    own = Counts()
    for seconds in (0.004, 0.005, 0.3, 99):
        own.took("batch", seconds)
    assert own.values() == {"batch[le 0.005]": 2, "batch[le 0.5]": 1, "batch[le +Inf]": 1, "batch[sum]": pytest.approx(99.309)}


@pytest.fixture
def telling(transactional_db: None) -> Any:
    with psycopg.connect(**reporting.parameters()) as connection:
        yield connection


def test_one_that_starts_again_takes_its_row_over(telling: Any) -> None:
    reporting.tell(telling, "pipeline")
    Process.objects.update(pid=1, started_at=timezone.now() - timedelta(days=3))
    reporting.tell(telling, "pipeline")
    (own,) = running()
    assert own.kind == "pipeline"
    assert own.pid != 1
    assert timezone.now() - own.started_at < timedelta(hours=5)
    assert own.counts["resident_bytes"] > 1_000_000
    assert not own.is_silent


def test_it_tells_under_the_name_that_the_launcher_gave(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTCC_PROCESS", "pipeline:2")
    ended = reporting.start("pipeline")
    try:
        until = time.monotonic() + 10
        while not running() and time.monotonic() < until:
            time.sleep(0.02)
        assert [one.kind for one in running()] == ["pipeline:2"]
    finally:
        ended.set()
        for thread in threading.enumerate():
            if thread.name == "report":
                thread.join(10)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("told_s", "turned_s", "silent", "hangs"),
    [(2, 3, False, False), (2, 60, False, True), (60, 61, True, False), (2, None, False, False)],
)
def test_what_is_silent_and_what_hangs_are_told_apart(told_s: float, turned_s: float | None, silent: bool, hangs: bool) -> None:
    now = timezone.now()
    turned = None if turned_s is None else now - timedelta(seconds=turned_s)
    Process.objects.create(kind="web", host="a", pid=1, started_at=now, told_at=now - timedelta(seconds=told_s), turned_at=turned)
    (one,) = running()
    assert (one.is_silent, one.hangs) == (silent, hangs)


def test_a_turn_is_told_with_its_age(telling: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "turned", time.monotonic() - 40)
    reporting.tell(telling, "web")
    (one,) = running()
    assert one.turned_s == pytest.approx(40, abs=2)
    assert one.hangs


def test_a_database_that_is_away_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "HOST", "/nowhere")
    ended = threading.Event()
    thread = threading.Thread(target=reporting.tell_forever, args=["web", ended], daemon=True)
    thread.start()
    time.sleep(0.3)
    assert thread.is_alive()
    ended.set()
    thread.join(10)
    assert not thread.is_alive()
