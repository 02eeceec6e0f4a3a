"""The connected clients of a hub: what each is shown when it comes, when its rights change and after a loss."""

import asyncio
from collections.abc import Iterable
from itertools import count
from time import monotonic
from typing import Any

from apps.layers.definition import Layer
from apps.live.client import Client, Rights
from apps.live.fanout import Fanout
from apps.live.messages import heartbeat, hello
from apps.live.reader import Key, State
from apps.live.reader import Rights as Found
from apps.live.replica import Replica, Told
from apps.live.watched import Watched

MOST_CHANGES_BYTES = 131_072  # of one layer, waiting for one client
PULSES = 10  # clients get their heartbeat in this many turns a second
NOT_SIGNED_IN = 4401
NOT_ALLOWED = 4403
UNREADABLE = 4400


class Audience:
    """Clients and what they are shown. Nothing here waits."""

    def __init__(self, layers: dict[str, Layer], replica: Replica) -> None:
        self.layers = layers
        self.replica = replica
        self.fanout = Fanout(replica.positions)
        self.watched = Watched(layers)
        self.clients: set[Client] = set()
        self.pulses: list[set[Client]] = [set() for _ in range(PULSES)]
        self.turns = count()
        self.agencies: list[dict[str, Any]] = []
        self.closing: set[asyncio.Future[None]] = set()

    def join(self, client: Client, state: State) -> None:
        client.turn = next(self.turns) % PULSES
        self.clients.add(client)
        self.pulses[client.turn].add(client)
        self._greet(client, state)
        self._show_features(client, self._seen(client.rights))

    def leave(self, client: Client) -> None:
        self.clients.discard(client)
        self.pulses[client.turn].discard(client)
        self.fanout.leave(client)

    def look(self, client: Client, view: tuple[float, ...], now_ms: float) -> None:
        client.view = view
        if not client.is_behind:
            self.fanout.look(client, now_ms)

    def acknowledge(self, client: Client, seq: int, now_ms: float) -> None:
        if seq > client.seq:
            self.close(client, UNREADABLE)
        elif client.acknowledge(seq):
            self._reset(client, now_ms)
        elif client.missed or client.sweeps:
            self.fanout.send_missed(client, now_ms)

    def tell(self, told: Told) -> None:
        at = monotonic()
        for client in self.clients:
            if client.may_see(told.key):
                client.queue(told.key, told.tails, since=at)
                if told.key in client.pending:
                    self._shorten(client, told.key)

    def replace(self, replica: Replica, now_ms: float) -> None:
        """Show another replica: history was replaced, or this process lost touch with it for too long."""
        self.replica = replica
        self.fanout.replace(replica.positions)
        for client in self.clients:
            client.introduced.clear()
            if not client.is_behind:
                self._reset(client, now_ms)

    def grant(self, found: dict[int, Found], asked: set[int], state: State, now_ms: float) -> None:
        """Give the clients of the members asked about the rights that they have at the state's epoch."""
        for client in [client for client in self.clients if client.member.id in asked]:
            rights = found.get(client.member.id)
            if rights is None:
                self.close(client, NOT_ALLOWED)
            elif rights.password != client.member.password:
                self.close(client, NOT_SIGNED_IN)
            else:
                client.epoch, client.roles = state.epoch, rights.roles
                self._give(client, self.watched.permitted(client, rights.rights), state, now_ms)

    def beat(self, turn: int, feeds: list[dict[str, Any]], now_ms: float, speed: float) -> None:
        """Send a tenth of the clients their heartbeat, encoded once for equal rights."""
        at = monotonic()
        encoded: dict[Rights, bytes] = {}
        for client in self.pulses[turn]:
            if client.is_late(at):
                client.fall_behind()
            elif not client.is_behind and not client.draws_old(at):
                if client.rights not in encoded:
                    encoded[client.rights] = heartbeat(client.rights, self.replica, feeds, now_ms, speed)
                client.say(encoded[client.rights])

    def close(self, client: Client, code: int) -> None:
        """End a connection; one that does not read is cut, so that nothing on its way arrives."""
        self.leave(client)
        if client.wire.buffered():
            client.wire.abort()
            return
        closing = asyncio.ensure_future(client.hang_up(code))
        self.closing.add(closing)
        closing.add_done_callback(self.closing.discard)

    def _shorten(self, client: Client, key: Key) -> None:
        """More changes than the whole layer has wait for a client that reads slowly: it gets the layer as it is now instead."""
        features = self.replica.feature_set(key)
        if client.waits_for(key) > max(MOST_CHANGES_BYTES, 2 * features.size):
            client.replace_pending(key, features.snapshot())

    def _give(self, client: Client, rights: Rights, state: State, now_ms: float) -> None:
        if rights == client.rights:
            return
        before, after = self._seen(client.rights), self._seen(rights)
        client.rights = rights
        if before - after and (client.is_behind or client.wire.buffered()):
            self.close(client, NOT_ALLOWED)
            return
        for key in sorted(before - after):
            client.drop(key)
        self._greet(client, state)
        self._show_features(client, after - before)
        if not client.is_behind:
            self.fanout.look(client, now_ms)

    def _reset(self, client: Client, now_ms: float) -> None:
        """Begin anew: everything drawn is dropped and shown again."""
        client.recover()
        client.say(b'"type":"reset"}')
        self._show_features(client, self._seen(client.rights))
        self.fanout.leave(client)
        self.fanout.look(client, now_ms)

    def _greet(self, client: Client, state: State) -> None:
        client.say(hello(client, self.agencies, self.layers.values(), state))

    def _show_features(self, client: Client, keys: Iterable[Key]) -> None:
        """Send layers whole, the smallest first: calls do not wait for the outlines of districts."""
        sets = [self.replica.feature_set(key) for key in sorted(keys) if key[0] not in self.replica.moving]
        for features in sorted(sets, key=lambda one: one.size):
            client.queue((features.layer, features.agency_id), features.snapshot())

    def _seen(self, rights: Rights) -> set[Key]:
        return {(layer, agency) for layer, agency, action in rights if action == "view" and layer in self.layers}
