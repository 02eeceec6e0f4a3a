"""Hints on Redis may be lost; they may never cost a sender much."""

import time
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.epoch import EPOCH, REST_S, TIMEOUT_S, Road


def test_a_living_redis_gets_the_message() -> None:
    assert Road().send(EPOCH, b"7") is True


def test_a_dead_redis_costs_the_hint_and_little_time(settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    road = Road()
    began = time.monotonic()
    assert [road.send(EPOCH, b"7") for _ in range(100)] == [False] * 100
    assert time.monotonic() - began < TIMEOUT_S + REST_S


def test_after_a_rest_it_is_tried_again(settings: Any, tmp_path: Path) -> None:
    alive = settings.REDIS_URL
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    road = Road()
    assert road.send(EPOCH, b"7") is False
    del road.redis
    settings.REDIS_URL = alive
    assert road.send(EPOCH, b"7") is False, "it rests"
    time.sleep(REST_S)
    assert road.send(EPOCH, b"7") is True


@pytest.mark.parametrize("payload", [b"", b"\x00" * 100_000])
def test_any_bytes_go_out(payload: bytes) -> None:
    assert Road().send("rtcc:test", payload) is True
