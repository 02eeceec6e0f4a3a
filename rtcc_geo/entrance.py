"""Sends each connection where it belongs, and starts and stops what runs beside the requests."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

from apps.ingest.answers import Receive, Scope, Send
from apps.ingest.door import Door
from apps.layers.revalidation import Revalidation
from apps.layers.tile_views import REVALIDATE
from apps.live import hub, routing
from apps.processes import reporting
from rtcc_geo.bounded_body import BoundedBody
from rtcc_geo.healthz import Healthz
from rtcc_geo.metrics import Metrics
from rtcc_geo.starting import Exposed, refuse_while_exposed

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Entrance:
    """`bare` lists what Django does not see; the matrix of rights (tests/architecture) wants a row for each."""

    def __init__(self, pages: Application) -> None:
        self.pages = BoundedBody(pages)
        self.door = Door()
        self.healthz = Healthz()
        self.telling: threading.Event | None = None
        self.judging: asyncio.Task[None] | None = None
        self.bare: dict[str, Application] = {"/ingest/": self.door, "/healthz": self.healthz, "/metrics": Metrics()}
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
        if path.endswith(".mvt") and (tag := await self.tiles.unchanged(scope)):
            await send_unchanged(send, tag)
        else:
            await self.found(path)(scope, receive, send)

    def found(self, path: str) -> Application:
        """Return who answers at an address: of the bare ones those that end with a slash also answer for all below."""
        for address, application in self.bare.items():
            if path == address or (address.endswith("/") and path.startswith(address)):
                return application
        return self.pages

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """Start the door and the hub before the first request, unless something is exposed; before the end, commit what waits."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    self.judging = await refuse_while_exposed()
                except Exposed as exposed:
                    await send({"type": "lifespan.startup.failed", "message": str(exposed)})
                    return
                self.telling = reporting.start("web")
                self.door.start()
                await hub.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                if self.telling is not None:
                    self.telling.set()
                if self.judging is not None:
                    self.judging.cancel()
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
