"""Positions to browsers: each group of equal views is joined once a tick, and each client costs one write."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from struct import Struct
from time import monotonic

from apps.live.client import FRAMES_STOP_AT_BYTES, MOST_UNACKNOWLEDGED_S, Client
from apps.live.frames import RECORD, blob, frame_parts
from apps.live.positions import Movement, Positions, Whole
from apps.live.ticks import Tick, encode_tiles, encode_wide
from apps.live.tiles import AGENCY_SHIFT, watched_keys

LAYER = "units"
YIELD_EVERY = 200  # clients served between two turns of the event loop
WIDE_EVERY_S = 0.5
PIECE_BYTES = 65_536  # what is sent whole is cut here, so that a client that stalls holds little
PIECE_RECORDS = PIECE_BYTES // RECORD.itemsize
PIECE_NAMES = 250  # introductions in a message
NUMBER = Struct("<I")


@dataclass(eq=False)
class Group:
    """Clients that watch the same tiles."""

    keys: tuple[int, ...]
    clients: set[Client] = field(default_factory=set)

    @property
    def is_wide(self) -> bool:
        return bool(self.keys) and self.keys[0] < 0


class Fanout:
    def __init__(self, positions: Positions) -> None:
        self.positions = positions
        self.groups: dict[tuple[int, ...], Group] = {}
        self.watched: Counter[int] = Counter()
        self.tick = Tick()
        self.whole: dict[int, Whole] = {}
        self.wide = Movement()
        self.wide_due = 0.0
        self.frames_sent = 0

    def replace(self, positions: Positions) -> None:
        """Serve another replica. The caller resets every client."""
        self.positions, self.wide, self.tick = positions, Movement(), Tick(self.tick.number)
        self.whole.clear()

    def look(self, client: Client, now_ms: float) -> None:
        """Let a client watch the tiles of its view that it may see. What is new in it is sent in this step, from memory."""
        agencies = sorted(agency for layer, agency, action in client.rights if layer == LAYER and action == "view")
        keys = watched_keys(client.view, agencies) if client.view else ()
        self._leave_tick(client)
        old = set(client.group.keys) if client.group else set()
        self.leave(client)
        self._enter(client, keys)
        client.missed.intersection_update(keys)
        client.sweeps = {key: sweep for key, sweep in client.sweeps.items() if key in keys}
        client.served = self.tick.number
        for key in keys:
            if key not in old:
                client.miss(key, None)
        self.send_missed(client, now_ms)

    def leave(self, client: Client) -> None:
        group, client.group = client.group, None
        if group is not None:
            group.clients.discard(client)
            if not group.clients:
                del self.groups[group.keys]
                for key in group.keys:
                    self.watched[key] -= 1
                    if not self.watched[key]:
                        del self.watched[key]

    def _enter(self, client: Client, keys: tuple[int, ...]) -> None:
        client.group = self.groups.get(keys)
        if client.group is None:
            client.group = self.groups[keys] = Group(keys)
            self.watched.update(keys)
        client.group.clients.add(client)

    async def serve(self, now_ms: float, clients: Iterable[Client]) -> None:
        """One tick: encode what changed and send it to all who watch it."""
        tick, served = self._next_tick(now_ms, clients), 0
        for group in list(self.groups.values()):
            served += self._serve_group(group, tick)
            if served >= YIELD_EVERY:
                served = 0
                await asyncio.sleep(0)
                if self.tick is not tick:
                    return

    def send_missed(self, client: Client, now_ms: float) -> None:
        """Send whole tiles that a client lacks, as far as there is room."""
        while client.missed and client.takes_frames():
            keys = self._fitting(client.missed, now_ms)
            if not self._introduce(client, [slot for key in keys for slot in self._whole(key, now_ms).slots.tolist()]):
                return
            client.missed.difference_update(keys)
            self._send(client, [self._whole(key, now_ms).blob for key in keys], now_ms)
        has_room = True
        while has_room and client.sweeps and client.takes_frames():
            has_room = self._sweep(client, min(client.sweeps), now_ms)

    def _next_tick(self, now_ms: float, clients: Iterable[Client]) -> Tick:
        movement = self.positions.take_movement()
        self.whole.clear()
        for client in clients if movement.renamed else ():
            client.forget_introduction(movement.renamed)
        self._keep_for_wide(movement)
        watched = self.watched.keys()
        self.tick = Tick(self.tick.number + 1, now_ms)
        encode_tiles(self.positions, movement, watched, self.tick)
        if monotonic() >= self.wide_due:
            self.wide_due = monotonic() + WIDE_EVERY_S
            wide, self.wide = self.wide, Movement()
            encode_wide(self.positions, wide, watched, self.tick)
        return self.tick

    def _keep_for_wide(self, movement: Movement) -> None:
        self.wide.news += movement.news
        self.wide.arrived += movement.arrived
        self.wide.removed_from |= movement.removed_from

    def _serve_group(self, group: Group, tick: Tick) -> int:
        """Send this tick's blobs to a group. Return how many clients it has."""
        blobs = [found for found in map(tick.blobs.get, group.keys) if found]
        clients = [client for client in group.clients if client.served != tick.number and not client.is_behind]
        if group.is_wide and not self._is_told_in_one(group, blobs, tick):
            for client in clients:
                self._skip(client, tick)
        elif blobs:
            arrived = [slot for found in map(tick.arrived.get, group.keys) if found for slot in found]
            self._serve_clients(clients, frame_parts(blobs, tick.now_ms), arrived, tick)
        else:
            for client in clients:
                client.served = tick.number
                self.send_missed(client, tick.now_ms)
        return len(clients)

    def _is_told_in_one(self, group: Group, blobs: list[bytes], tick: Tick) -> bool:
        return tick.lost.isdisjoint(group.keys) and sum(map(len, blobs)) <= PIECE_BYTES

    def _serve_clients(self, clients: list[Client], parts: tuple[bytes, bytes], arrived: list[int], tick: Tick) -> None:
        """Write one frame to each. The hottest lines of the server: no calls that can be spared, nothing that waits."""
        before, after = parts
        at, size, pack, number = monotonic(), len(before) + NUMBER.size + len(after), NUMBER.pack, tick.number
        late_before = at - MOST_UNACKNOWLEDGED_S
        for client in clients:
            unacknowledged = client.unacknowledged
            if (
                client.missed
                or client.sent_bytes - client.acknowledged_bytes >= FRAMES_STOP_AT_BYTES
                or client.sweeps
                or (unacknowledged and unacknowledged[0][2] < late_before)
                or client.wire.is_closing()
                or (arrived and not self._introduce(client, arrived))
            ):
                self._skip(client, tick)
                continue
            client.served = number
            client.seq = seq = client.seq + 1
            client.sent_bytes = sent = client.sent_bytes + size
            unacknowledged.append((seq, sent, at))
            client.wire.write(b"".join((before, pack(seq), after)))
            self.frames_sent += 1

    def _skip(self, client: Client, tick: Tick) -> None:
        """This tick does not fit: what it would have told is told whole, when there is room."""
        self._leave_tick(client)
        if client.is_late(monotonic()):
            client.fall_behind()
        else:
            self.send_missed(client, tick.now_ms)

    def _leave_tick(self, client: Client) -> None:
        """A tick under way would send an older state after a newer: take the client out of it."""
        if client.group is not None and client.served != self.tick.number:
            client.served = self.tick.number
            for key in client.group.keys:
                if key in self.tick.blobs or key in self.tick.lost:
                    client.miss(key, None if key in self.tick.lost else self.tick.news.get(key))

    def _introduce(self, client: Client, slots: list[int]) -> bool:
        """Tell who these slots are, where the client does not know it. Return whether there was room for all."""
        unknown = client.unknown_of(slots, self.positions.capacity)
        while unknown:
            if not client.takes_frames():
                return False
            agency = self.positions.key[unknown[0]] >> AGENCY_SHIFT
            part = [slot for slot in unknown if self.positions.key[slot] >> AGENCY_SHIFT == agency][:PIECE_NAMES]
            for slot in part:
                client.introduced[slot] = 1
            names = [name for slot in part if (name := self.positions.names[slot])]
            client.say(b'"type":"introduce","layer":"units","agency":%d,"units":[%b]}' % (agency, b",".join(names)))
            unknown = client.unknown_of(unknown, self.positions.capacity)
        return True

    def _sweep(self, client: Client, key: int, now_ms: float) -> bool:
        """Send the next piece of an agency. Return whether there was room."""
        sweep = client.sweeps[key]
        todo = self.positions.slots_in(key) if sweep.todo is None else sweep.todo[self.positions.drawn[sweep.todo]]
        piece = todo[:PIECE_RECORDS]
        if not self._introduce(client, piece.tolist()):
            return False
        self._send(client, [blob(key, self.positions.encode(piece, now_ms), whole=sweep.whole)], now_ms)
        sweep.todo, sweep.whole = todo[PIECE_RECORDS:], False
        if not len(sweep.todo):
            del client.sweeps[key]
        return True

    def _fitting(self, missed: set[int], now_ms: float) -> list[int]:
        """Return some of the missed tiles whose blobs make one frame."""
        keys: list[int] = []
        size = 0
        for key in sorted(missed):
            size += len(self._whole(key, now_ms).blob)
            if keys and size > PIECE_BYTES:
                break
            keys.append(key)
        return keys

    def _whole(self, key: int, now_ms: float) -> Whole:
        found = self.whole.get(key)
        if found is None:
            found = self.whole[key] = self.positions.whole(key, now_ms)
        return found

    def _send(self, client: Client, blobs: list[bytes], now_ms: float) -> None:
        if client.is_behind or client.wire.is_closing():
            return
        before, after = frame_parts(blobs, now_ms)
        message = b"".join((before, NUMBER.pack(client.seq + 1), after))
        client.wire.write(message)
        client.count(len(message), monotonic())
        self.frames_sent += 1
