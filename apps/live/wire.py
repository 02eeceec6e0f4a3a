"""The socket under a WebSocket: writes that never wait, and what the kernel may hold for a client that does not read."""

import asyncio
import socket
from typing import Any

from apps.live.frames import TEXT, socket_header

SEND_BUFFER_BYTES = 65_536
SCOPE_KEY = "rtcc.transport"


class NoTransport(Exception):
    """The ASGI server hides its transport. Run uvicorn with --ws websockets-sansio --ws-per-message-deflate false."""


class Wire:
    """Writes whole WebSocket messages to a client's transport, beside uvicorn, which goes on reading, pinging and closing."""

    __slots__ = ("buffered", "is_closing", "transport", "write")

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.write = transport.write
        self.buffered = transport.get_write_buffer_size
        self.is_closing = transport.is_closing
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def write_text(self, text: bytes) -> None:
        if not self.is_closing():
            self.write(socket_header(TEXT, len(text)) + text)

    def abort(self) -> None:
        """Drop the connection with all that was not delivered yet."""
        self.transport.abort()


def transport_of(send: Any) -> asyncio.Transport:
    """Return the transport behind an ASGI send callable of uvicorn. Raises NoTransport."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None or getattr(send.__self__, "config", None) is None or send.__self__.config.ws_per_message_deflate:
        raise NoTransport(NoTransport.__doc__)
    return transport  # type: ignore[no-any-return]
