"""A client of rtcc.live.v1 that keeps what a page would draw, for tests."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from apps.live.frames import RECORD
from apps.live.tiles import ALL_TILES, TILE_ZOOM, column_of, row_of

HEADER = struct.Struct("<HHId")
BLOB = struct.Struct("<IIIII")
HOUSTON = (-95.8, 29.5, -95.0, 30.1)
Tile = tuple[int, int]
Open = Callable[..., Coroutine[Any, Any, "Browser"]]


@dataclass
class Browser:
    socket: ClientConnection
    acknowledges: bool = True
    session_key: str = ""
    seq: int = 0
    hello: dict[str, Any] = field(default_factory=dict)
    features: dict[tuple[str, int], dict[int, Any]] = field(default_factory=dict)
    revs: dict[tuple[str, int], int] = field(default_factory=dict)
    introduced: dict[int, dict[str, Any]] = field(default_factory=dict)
    positions: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    heartbeats: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    frames: int = 0
    resets: int = 0
    watched: tuple[int, int, int, int] = (0, 0, -1, -1)
    whole: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    closed: int | None = None

    async def read_forever(self) -> None:
        try:
            async for message in self.socket:
                self.take(message)
        except ConnectionClosed:
            pass
        finally:
            self.closed = self.socket.close_code

    async def acknowledge_forever(self) -> None:
        while self.closed is None:
            await asyncio.sleep(1)
            if self.acknowledges:
                await self.say(type="ack", seq=self.seq)

    async def say(self, **words: Any) -> None:
        await self.socket.send(orjson.dumps(words).decode())

    async def look(self, bbox: tuple[float, float, float, float], zoom: float = 12) -> None:
        self.watch(bbox)
        await self.say(type="view", bbox=list(bbox), zoom=zoom)

    def watch(self, bbox: tuple[float, float, float, float]) -> None:
        """Forget what is outside the tiles of a new view."""
        west, south, east, north = bbox
        self.watched = (column_of(west), row_of(north), column_of(east), row_of(south))
        self.forget_unwatched()

    def forget_unwatched(self) -> None:
        """Agencies that come whole are kept, until the first narrow blob."""
        self.positions = {handle: at for handle, at in self.positions.items() if self.agency_of(handle) in self.whole or self.sees(at)}

    def agency_of(self, handle: int) -> int:
        return int(self.introduced[handle]["agency"])

    def sees(self, at: tuple[int, int, int, int]) -> bool:
        return self.watches(tile_of(at))

    def watches(self, tile: Tile) -> bool:
        west, north, east, south = self.watched
        return west <= tile[0] <= east and north <= tile[1] <= south

    def take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.take_frame(message)
            return
        body = orjson.loads(message)
        self.number(body["seq"])
        self.messages.append(body)
        getattr(self, f"take_{body['type']}")(body)

    def number(self, seq: int) -> None:
        if seq != self.seq + 1:
            self.faults.append(f"message {seq} after {self.seq}")
        self.seq = seq

    def take_hello(self, body: dict[str, Any]) -> None:
        self.hello = body

    def take_snapshot(self, body: dict[str, Any]) -> None:
        key = (body["layer"], body["agency"])
        self.features[key] = {feature["id"]: feature for feature in body["features"]}
        self.revs[key] = body["rev"]

    def take_changes(self, body: dict[str, Any]) -> None:
        key = (body["layer"], body["agency"])
        if body["rev"] < self.revs.get(key, 0):
            return
        self.features.setdefault(key, {}).update({feature["id"]: feature for feature in body["features"]})
        for feature_id in body["removed"]:
            self.features[key].pop(feature_id, None)
        self.revs[key] = body["rev"]

    def take_introduce(self, body: dict[str, Any]) -> None:
        self.introduced.update({unit["handle"]: unit | {"agency": body["agency"]} for unit in body["units"]})

    def take_withdraw(self, body: dict[str, Any]) -> None:
        self.features.pop((body["layer"], body["agency"]), None)
        if body["layer"] == "units":
            gone = {handle for handle, unit in self.introduced.items() if unit["agency"] == body["agency"]}
            self.positions = {handle: at for handle, at in self.positions.items() if handle not in gone}

    def take_heartbeat(self, body: dict[str, Any]) -> None:
        self.heartbeats.append(body)

    def take_reset(self, body: dict[str, Any]) -> None:
        self.resets += 1
        self.whole.clear()
        self.features.clear()
        self.positions.clear()

    def take_frame(self, message: bytes) -> None:
        _, blobs, seq, _ = HEADER.unpack_from(message)
        self.number(seq)
        self.frames += 1
        at = HEADER.size
        for _ in range(blobs):
            agency, x, y, flags, count = BLOB.unpack_from(message, at)
            records = np.frombuffer(message, RECORD, count, at + BLOB.size)
            self.take_blob(agency, (x, y), bool(flags & 1), records)
            at += BLOB.size + records.nbytes
        if at != len(message):
            self.faults.append("left-over bytes in a frame")

    def take_blob(self, agency: int, tile: Tile, whole: bool, records: Any) -> None:
        everywhere = tile == (ALL_TILES, ALL_TILES)
        if everywhere:
            self.whole.add(agency)
        elif agency in self.whole:
            self.whole.discard(agency)
            self.forget_unwatched()
        if whole:
            mine = {handle for handle in self.positions if self.agency_of(handle) == agency}
            for handle in mine:
                if everywhere or tile_of(self.positions[handle]) == tile:
                    del self.positions[handle]
        for handle, lon, lat, _, _, _, status, flags in records.tolist():
            if handle not in self.introduced:
                self.faults.append(f"handle {handle} was not introduced")
            elif everywhere or self.sees((lon, lat, status, flags)):
                self.positions[handle] = (lon, lat, status, flags)
            else:
                self.positions.pop(handle, None)

    async def until(self, condition: Callable[[], object], *, what: str, within_s: float = 10) -> None:
        """Wait until what was received satisfies a condition. Raises AssertionError."""
        given_up = monotonic() + within_s
        while not condition():
            assert monotonic() < given_up, f"not within {within_s:g} s: {what} (closed: {self.closed})"
            await asyncio.sleep(0.02)

    def drawn(self) -> dict[int, tuple[int, int]]:
        """Return where each track is, in 1e-7 degrees."""
        return {self.introduced[handle]["id"]: at[:2] for handle, at in self.positions.items()}


def tile_of(at: tuple[int, int, int, int]) -> Tile:
    assert TILE_ZOOM == 13
    return column_of(at[0] / 1e7), row_of(at[1] / 1e7)


@asynccontextmanager
async def opened(
    address: str, *, cookie: str, origin: str, acknowledges: bool = True, subprotocol: str = "rtcc.live.v1"
) -> AsyncIterator[Browser]:
    """Connect, read and acknowledge until the block ends."""
    headers = {"Cookie": f"sessionid={cookie}"} if cookie else {}
    words: Any = {"origin": origin, "subprotocols": [subprotocol], "additional_headers": headers}
    async with connect(address, compression=None, max_size=None, proxy=None, **words) as socket:
        browser = Browser(socket, acknowledges, cookie)
        tasks = [asyncio.create_task(run()) for run in (browser.read_forever, browser.acknowledge_forever)]
        try:
            yield browser
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
