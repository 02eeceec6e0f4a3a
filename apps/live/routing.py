"""Where live sockets go: our own pages only, signed in."""

from typing import Any
from urllib.parse import urlparse

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.urls import path

from apps.live.consumers import LiveConsumer
from apps.live.wire import SCOPE_KEY, transport_of


class OwnPages(OriginValidator):  # type: ignore[misc]
    """Lets in what our own pages open. Channels' own refusal would ask Redis first, and fail without it."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        origin = dict(scope["headers"]).get(b"origin")
        if origin is not None and self.valid_origin(urlparse(origin.decode("latin1"))):
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 4403})


PATH = "/live/"
sockets = OwnPages(AuthMiddlewareStack(URLRouter([path(PATH[1:], LiveConsumer.as_asgi())])), [settings.ORIGIN.url])


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve a WebSocket. Keeps the transport, which the layers below would hide behind their own `send`."""
    if scope["path"] != PATH:
        await send({"type": "websocket.close", "code": 4404})
        return
    await sockets({**scope, SCOPE_KEY: transport_of(send)}, receive, send)
