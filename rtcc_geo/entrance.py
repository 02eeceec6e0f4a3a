"""Sends each connection where it belongs, and starts and stops what runs beside the requests."""

from collections.abc import Awaitable, Callable

from apps.ingest.answers import Receive, Scope, Send
from apps.ingest.door import Door
from apps.live import hub, routing
from apps.processes import reporting
from rtcc_geo.healthz import Healthz
from rtcc_geo.metrics import Metrics

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Entrance:
    def __init__(self, pages: Application) -> None:
        self.pages = pages
        self.door = Door()
        self.healthz = Healthz()
        self.metrics = Metrics()

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
        elif path == "/metrics":
            await self.metrics(scope, receive, send)
        else:
            await self.pages(scope, receive, send)

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """Start the door and the hub before the first request; before the end, commit what waits."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                telling = reporting.start("web")
                self.door.start()
                await hub.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                telling.set()
                await hub.stop()
                await self.door.stop()
                await self.healthz.close()
                await send({"type": "lifespan.shutdown.complete"})
                return
