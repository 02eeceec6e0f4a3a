"""The web process of the fan-out bench: the production application, with two more paths to steer and look into its hub."""

import fcntl
import os
import struct
import termios
import time
from typing import Any

import orjson

from rtcc_geo.asgi import application as production

from apps.live import hub as live  # isort: skip (the line above loads Django's apps)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """`/bench/state` says what the hub holds; `/bench/tick/0.1` sets the seconds between two ticks."""
    path = scope.get("path", "")
    if scope["type"] != "http" or not path.startswith("/bench/"):
        await production(scope, receive, send)
        return
    if path.startswith("/bench/tick/"):
        live.TICK_S = float(path.rpartition("/")[2])
    body = orjson.dumps(await state())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


async def state() -> dict[str, Any]:
    hub = await live.hub()
    clients = hub.audience.clients
    return {
        "pid": os.getpid(),
        "clients": len(clients),
        "frames": hub.audience.fanout.frames_sent,
        "bytes": sum(client.sent_bytes for client in clients),
        "behind": sum(client.is_behind for client in clients),
        "stalled_kb": max((held(client) for client in clients if client.is_behind), default=0) / 1024,
        "cpu_s": time.process_time(),
    }


def held(client: Any) -> int:
    """Return the bytes that this process and the kernel hold for a client: transport and socket."""
    socket = client.wire.transport.get_extra_info("socket")
    unsent = fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, b"\0" * 4)  # SIOCOUTQ: not acknowledged by the peer's kernel
    return int(client.wire.buffered()) + int(struct.unpack("i", unsent)[0])
