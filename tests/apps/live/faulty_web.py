"""The real web application, with faults on request: uvicorn tests.apps.live.faulty_web:application.

GET /faults/list names the tasks that run beside requests. /faults/cancel/<name> cancels one as if from within. /faults/read/<method>
lets that method of the hub's reader fail once, in a way that no code expects.
"""

import asyncio
from typing import Any
from urllib.parse import unquote

import msgspec

import rtcc_geo.asgi

real = rtcc_geo.asgi.application

from apps.ingest.answers import send_json  # noqa: E402 (Django's apps must be loaded first)
from apps.live import hub  # noqa: E402


class Unforeseen(Exception):
    """What no code expects."""


def beside_requests() -> dict[str, "asyncio.Task[Any]"]:
    """Return by name the tasks whose code is ours and that no request waits for."""
    found = {task.get_name(): (task, getattr(task.get_coro(), "cr_code", None)) for task in asyncio.all_tasks()}
    return {name: task for name, (task, code) in found.items() if code and "/apps/" in code.co_filename}


def cancel_from_within(name: str) -> None:
    """Cancel what the task waits for; nobody has asked the task itself to end."""
    task = beside_requests()[name]
    task.cancel()
    task.uncancel()


async def fail_once(method: str) -> None:
    reader = (await hub.hub()).reader

    def fail(*_: object) -> None:
        delattr(reader, method)
        raise Unforeseen(method)

    setattr(reader, method, fail)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http" or not scope["path"].startswith("/faults/"):
        await real(scope, receive, send)
        return
    fault, _, what = unquote(scope["path"]).removeprefix("/faults/").partition("/")
    if fault == "cancel":
        cancel_from_within(what)
    elif fault == "read":
        await fail_once(what)
    await send_json(send, 200, msgspec.json.encode(sorted(beside_requests())))
