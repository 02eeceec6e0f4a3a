"""/healthz, and which connection goes where."""

import asyncio
from typing import Any

import msgspec
import pytest

from rtcc_geo.healthz import Healthz


def asked(settings_name: str | None = None) -> tuple[int, dict[str, Any]]:
    sent: list[Any] = []

    async def ask() -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request"}

        healthz = Healthz()
        await healthz({"type": "http"}, receive, send)
        await healthz.close()

    asyncio.run(ask())
    return sent[0]["status"], msgspec.json.decode(sent[1]["body"])


@pytest.mark.usefixtures("committed")
def test_it_is_well_when_the_database_answers_and_says_whether_redis_and_the_pipeline_do(settings: Any) -> None:
    assert asked() == (200, {"status": "ok", "database": True, "redis": True, "pipeline": False})
    settings.REDIS_URL = "unix:///nowhere/redis.sock?db=0"
    assert asked() == (200, {"status": "ok", "database": True, "redis": False, "pipeline": False})


@pytest.mark.usefixtures("committed")
def test_it_is_ill_when_the_database_is_away(settings: Any) -> None:
    before = settings.DATABASES["default"]["PORT"]
    settings.DATABASES["default"]["PORT"] = "1"
    try:
        status, told = asked()
    finally:
        settings.DATABASES["default"]["PORT"] = before
    assert (status, told["status"], told["database"]) == (503, "database_away", False)
