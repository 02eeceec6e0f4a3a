"""Plain Channels for comparison: one group over Redis, each client a consumer in it, `group_send` for every frame.

As an ASGI application for uvicorn; as a program (`python -m bench.plain_group URL CLIENTS BYTES`) its clients and sender: it raises the
rate until the server delivers no more, and prints the most frames a second as JSON.
"""

import asyncio
import logging
import os
import struct
import sys
import time
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rtcc_geo.settings")
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402 (settings must be ready first)
from channels.layers import get_channel_layer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

GROUP = "everybody"
STEP_S = 3.0
RATES = (1, 1.5, 2, 2.5, 3, 4, 6, 8, 12, 16)  # frames a second to each client
STAMP = struct.Struct("<d")


class GroupConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    groups = [GROUP]

    async def frame(self, event: dict[str, Any]) -> None:
        await self.send(bytes_data=event["bytes"])


application = ProtocolTypeRouter({"websocket": URLRouter([path("plain/", GroupConsumer.as_asgi())])})


class Count:
    frames = 0


async def delivered(rate: float, clients: int, size: int) -> float:
    """Send at a rate for a while; return the frames a second that arrived in that time."""
    layer = get_channel_layer()
    Count.frames = 0
    started, sent = time.monotonic(), 0
    while (now := time.monotonic()) - started < STEP_S:
        await layer.group_send(GROUP, {"type": "frame", "bytes": STAMP.pack(time.time()) + b"x" * (size - STAMP.size)})
        sent += 1
        await asyncio.sleep(max(0.0, started + sent / rate - now))
    return Count.frames / (time.monotonic() - started)


async def ramp(url: str, clients: int, size: int) -> float:
    import picows

    logging.getLogger("picows").setLevel(logging.WARNING)

    class Reader(picows.WSListener):  # type: ignore[misc]
        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            Count.frames += frame.msg_type == picows.WSMsgType.BINARY

    for _ in range(clients):
        await picows.ws_connect(Reader, url, websocket_handshake_timeout=30, use_aiofastnet=False)
    most, falls = 0.0, 0
    for rate in RATES:
        got = await delivered(rate, clients, size)
        print(f"group_send at {rate * clients:,.0f} frames/s offered: {got:,.0f} delivered", file=sys.stderr)
        falls = falls + 1 if got < most * 0.9 else 0
        if falls == 2:
            break
        most = max(most, got)
        await drained()
    return most


async def drained() -> None:
    """Wait until nothing arrives any more."""
    before = -1
    while before != Count.frames:
        before = Count.frames
        await asyncio.sleep(0.3)


if __name__ == "__main__":
    import json

    import uvloop

    print(json.dumps({"frames_per_s": uvloop.run(ramp(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))}))
