"""One browser's live socket: signs in, parses what it says, and hands it to the hub."""

import asyncio
import logging
from time import monotonic
from typing import Any

import msgspec
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AnonymousUser

from apps.accounts.models import Member as Account
from apps.live.audience import NOT_ALLOWED, UNREADABLE
from apps.live.client import Client, Member
from apps.live.hub import TRY_AGAIN, Hub, NotAllowed, hub
from apps.live.messages import PROTOCOL
from apps.live.reader import Away
from apps.live.wire import SCOPE_KEY, Wire

log = logging.getLogger(__name__)
LOAD_S = 10.0
MOST_SAID_BYTES = 4096  # uvicorn's --ws-max-size ends longer ones before they are whole


class View(msgspec.Struct, frozen=True, tag="view", tag_field="type"):
    """West, south, east, north in degrees."""

    bbox: tuple[float, float, float, float]
    zoom: float = 0.0


class Ack(msgspec.Struct, frozen=True, tag="ack", tag_field="type"):
    seq: int


said = msgspec.json.Decoder(View | Ack)


class TooMuchSaid(Exception):
    """A client says more than any page of ours does."""


class Talk:
    """How much a client may still say: a bucket that fills at PER_S to AT_ONCE."""

    PER_S, AT_ONCE = 50.0, 400.0

    def __init__(self) -> None:
        self.left, self.at = self.AT_ONCE, monotonic()

    def count(self, size: int, *, at: float) -> None:
        """Take one message of so many bytes. Raises TooMuchSaid."""
        self.left = min(self.AT_ONCE, self.left + (at - self.at) * self.PER_S) - 1
        self.at = at
        if size > MOST_SAID_BYTES or self.left < 0:
            raise TooMuchSaid("a message was too long" if size > MOST_SAID_BYTES else "too many messages")


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    client: Client | None = None
    hub: Hub
    talk: Talk

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Read the socket alone: the hub hears Redis once for all clients, so there is no channel of our own to wait for."""
        self.scope, self.base_send, self.talk = scope, send, Talk()
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            return

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Take what the client says in the event loop; Channels would look after database connections for each message."""
        if message["type"] == "websocket.receive":
            self.receive_now(message.get("text") or "")
        else:
            await super().dispatch(message)

    async def connect(self) -> None:
        account = self.scope["user"]
        if isinstance(account, AnonymousUser) or not account.is_authenticated or PROTOCOL not in self.scope["subprotocols"]:
            await self.close()
            return
        self.hub = await hub()
        try:
            await asyncio.wait_for(self.hub.loaded.wait(), LOAD_S)
        except TimeoutError:
            await self.close(TRY_AGAIN)
            return
        await self.accept(PROTOCOL)
        await self.join(Wire(self.scope[SCOPE_KEY]), account)

    async def join(self, wire: Wire, account: Account) -> None:
        name = account.get_full_name() or account.username
        address = (self.scope.get("client") or ("",))[0]
        member = Member(account.pk, account.username, name, self.scope["session"].session_key, account.password, address)
        try:
            self.client = await self.hub.join(wire, member, self.close)
        except NotAllowed:
            await self.close(NOT_ALLOWED)
        except Away:
            await self.close(TRY_AGAIN)

    def receive_now(self, text: str) -> None:
        if self.client is None:
            return
        try:
            self.talk.count(len(text), at=monotonic())
            words = said.decode(text)
        except (msgspec.DecodeError, TooMuchSaid) as error:
            log.info("the socket of member %d was ended: %s", self.client.member.id, error)
            self.hub.audience.close(self.client, UNREADABLE)
            return
        if isinstance(words, Ack):
            self.hub.acknowledge(self.client, words.seq)
        else:
            self.hub.look(self.client, words.bbox)

    async def disconnect(self, code: int) -> None:
        if self.client is not None:
            self.hub.leave(self.client)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        await self.disconnect(message["code"])
        raise StopConsumer
