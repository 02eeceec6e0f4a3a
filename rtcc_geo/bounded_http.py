"""Uvicorn's HTTP protocol with bounds of its own: how long a request line and headers may take, and how long they may be.

Run uvicorn with `--http rtcc_geo.bounded_http:BoundedHttp`. The body's bounds are bounded_body's and the front door's own.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADERS_S = 10.0
MOST_HEADER_BYTES = 65_536


class BoundedHttp(HttpToolsProtocol):
    """Ends connections that open and say nothing, say it byte by byte, or say headers without end."""

    waiting: asyncio.TimerHandle | None = None
    header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self.wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.waiting is None and (self.cycle is None or self.cycle.response_complete):
            self.wait_for_headers()
        self.header_bytes += len(data)
        super().data_received(data)
        if self.waiting is not None and self.header_bytes > MOST_HEADER_BYTES and not self.transport.is_closing():
            self.wait_no_more()
            self.send_400_response("The headers are too long.")

    def on_headers_complete(self) -> None:
        self.wait_no_more()
        super().on_headers_complete()

    def wait_for_headers(self) -> None:
        self.header_bytes = 0
        self.waiting = self.loop.call_later(HEADERS_S, self.transport.close)

    def wait_no_more(self) -> None:
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None

    def shutdown(self, *args: Any) -> None:
        self.wait_no_more()
        super().shutdown(*args)
