"""Sends each connection where it belongs, and starts and stops what runs beside the requests."""

from collections.abc import Awaitable, Callable

from apps.ingest.answers import Receive, Scope, Send
from apps.ingest.door import Door
from apps.layers.revalidation import Revalidation
from apps.layers.tile_views import REVALIDATE
from apps.live import hub, routing
from rtcc_geo.healthz import Healthz

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Entrance:
    def __init__(self, pages: Application) -> None:
        self.pages = pages
        self.door = Door()
        self.healthz = Healthz()
        self.tiles = Revalidation()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await self.http(scope, receive, send)
        elif kind == "websocket":
            await routing.application(scope, receive, send)
        elif kind == "lifespan":
            await self.lifespan(receive, send)

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path.startswith("/ingest/"):
            await self.door(scope, receive, send)
        elif path == "/healthz":
            await self.healthz(scope, receive, send)
        elif path.endswith(".mvt") and (tag := await self.tiles.unchanged(scope)):
            await send_unchanged(send, tag)
        else:
            await self.pages(scope, receive, send)

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """Start the door and the hub before the first request; before the end, commit what waits."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.door.start()
                await hub.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await hub.stop()
                await self.door.stop()
                await self.healthz.close()
                await self.tiles.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def send_unchanged(send: Send, tag: str) -> None:
    headers = {"ETag": tag, "Cache-Control": REVALIDATE, "Vary": "Accept-Encoding, Cookie", "X-Content-Type-Options": "nosniff"}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 304, "headers": pairs})
    await send({"type": "http.response.body", "body": b""})
