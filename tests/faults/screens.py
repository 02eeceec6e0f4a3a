"""What 50 browsers keep: an independent reading of rtcc.live.v1. Each has a view of its own, acknowledges, and comes back."""

import asyncio
import json
import random
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import websockets
from numpy.typing import NDArray
from websockets.exceptions import WebSocketException

from tests.faults.staging import CENTER

HEADER = struct.Struct("<HHId")
BLOB = struct.Struct("<IIIII")
RECORD = np.dtype("<u4,<i4,<i4,<u4,u1,u1,u1,u1")
EVERY_TILE = 0xFFFFFFFF
WIDE_TILES = 256
ACKNOWLEDGE_BYTES = 32_768
GONE = (WebSocketException, OSError, TimeoutError)
Box = tuple[float, float, float, float]


def tile_of(lon: Any, lat: Any, zoom: int) -> tuple[Any, Any]:
    """Return column and row of the Web Mercator tile (degrees in)."""
    side = 2**zoom
    x = np.floor((np.asarray(lon) + 180.0) / 360.0 * side).astype(np.int64)
    y = np.floor((0.5 - np.log(np.tan(np.radians(np.asarray(lat)) / 2 + np.pi / 4)) / (2 * np.pi)) * side).astype(np.int64)
    return x, y


@dataclass(frozen=True)
class Tiles:
    """The tiles that a view covers. A view of very many tiles is served whole agencies."""

    west: int
    east: int
    north: int
    south: int

    @classmethod
    def of(cls, box: Box, zoom: int) -> "Tiles":
        west, north = (int(axis) for axis in tile_of(box[0], box[3], zoom))
        east, south = (int(axis) for axis in tile_of(box[2], box[1], zoom))
        return cls(west, east, north, south)

    @property
    def wide(self) -> bool:
        return (self.east - self.west + 1) * (self.south - self.north + 1) > WIDE_TILES

    def hold(self, x: Any, y: Any) -> Any:
        return self.wide | ((self.west <= x) & (x <= self.east) & (self.north <= y) & (y <= self.south))


@dataclass
class State:
    """All that the messages of one connection add up to. Arrays are indexed by handle."""

    zoom: int = 13
    tiles: Tiles = field(default_factory=lambda: Tiles(0, -1, 0, -1))
    ids: dict[int, int] = field(default_factory=dict)
    features: dict[tuple[str, int], dict[int, dict[str, Any]]] = field(default_factory=dict)
    shown: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(4096, bool))
    lon: NDArray[np.int32] = field(default_factory=lambda: np.zeros(4096, np.int32))
    lat: NDArray[np.int32] = field(default_factory=lambda: np.zeros(4096, np.int32))
    agency: NDArray[np.int64] = field(default_factory=lambda: np.zeros(4096, np.int64))
    seq: int = 0
    faults: list[str] = field(default_factory=list)

    def look(self, box: Box) -> None:
        """Forget what lies outside the new view."""
        self.tiles = Tiles.of(box, self.zoom)
        kept = np.flatnonzero(self.shown)
        self.shown[kept[~self.watched(kept)]] = False

    def watched(self, handles: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray(self.tiles.hold(*self.places(handles)), bool) & np.ones(len(handles), bool)

    def places(self, handles: NDArray[np.int64]) -> tuple[Any, Any]:
        return tile_of(self.lon[handles] / 1e7, self.lat[handles] / 1e7, self.zoom)

    def number(self, seq: int) -> None:
        if seq != self.seq + 1:
            self.faults.append(f"message {seq} after {self.seq}")
        self.seq = seq

    def text(self, message: dict[str, Any]) -> None:
        self.number(message["seq"])
        kind, key = message["type"], (message.get("layer", ""), message.get("agency", 0))
        if kind == "hello":
            self.zoom = message["tile_zoom"]
        elif kind == "snapshot":
            self.features[key] = {feature["id"]: feature for feature in message["features"]}
        elif kind == "changes":
            kept = self.features.setdefault(key, {})
            kept.update({feature["id"]: feature for feature in message["features"]})
            for id in message["removed"]:
                kept.pop(id, None)
        elif kind == "introduce":
            self.ids.update({unit["handle"]: unit["id"] for unit in message["units"]})
        elif kind == "withdraw":
            self.features.pop(key, None)
            self.shown[self.agency == key[1]] &= key[0] != "units"
        elif kind == "reset":
            self.features.clear()
            self.shown[:] = False

    def frame(self, message: bytes) -> None:
        version, blobs, seq, _ = HEADER.unpack_from(message)
        self.number(seq)
        offset = HEADER.size
        for _ in range(blobs):
            agency, x, y, flags, count = BLOB.unpack_from(message, offset)
            records = np.frombuffer(message, RECORD, count, offset + BLOB.size)
            offset += BLOB.size + count * RECORD.itemsize
            self.blob(agency, (x, y), flags, records)
        if version != 1 or offset != len(message):
            self.faults.append(f"frame {seq} of version {version} ends at {offset} of {len(message)}")

    def blob(self, agency: int, tile: tuple[int, int], flags: int, records: NDArray[Any]) -> None:
        handles = records["f0"].astype(np.int64)
        self.make_room(int(handles.max(initial=0)))
        if flags & 1:
            self.empty(agency, tile)
        self.lon[handles], self.lat[handles], self.agency[handles] = records["f1"], records["f2"], agency
        self.shown[handles] = self.watched(handles)

    def empty(self, agency: int, tile: tuple[int, int]) -> None:
        shown = np.flatnonzero(self.shown & (self.agency == agency))
        if tile != (EVERY_TILE, EVERY_TILE):
            x, y = self.places(shown)
            shown = shown[(x == tile[0]) & (y == tile[1])]
        self.shown[shown] = False

    def make_room(self, handle: int) -> None:
        while handle >= len(self.shown):
            for name in ("shown", "lon", "lat", "agency"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate([old, np.zeros_like(old)]))

    def positions(self) -> NDArray[np.int64]:
        """Return rows (track id, lon, lat in 1e-7 degrees) of what is drawn, ascending; a handle that was never introduced
        counts as a track of minus its number."""
        handles = np.flatnonzero(self.shown)
        ids = np.array([self.ids.get(handle, -handle) for handle in handles.tolist()], np.int64)
        rows = np.stack([ids, self.lon[handles], self.lat[handles]], axis=1).astype(np.int64)
        return rows[np.argsort(ids)]


class Screen:
    """One browser. `pans`: it moves its view every second."""

    def __init__(self, number: int, *, port: int, session: str, agencies: list[int]) -> None:
        self.url, self.origin = f"ws://localhost:{port}/live/", f"http://localhost:{port}"
        self.session, self.agencies = session, agencies
        self.rng = random.Random(number)
        self.pans = number % 5 == 0
        self.wide = number % 6 == 1
        self.state = State()
        self.faults: list[str] = []
        self.connections = 0
        self.back_after_s = lambda: 0.2
        self.heard_positions: Callable[[bytes], object] = lambda message: None

    async def run(self) -> None:
        """Show forever; a lost connection is opened again."""
        while True:
            with suppress(*GONE):
                await self.show()
            await asyncio.sleep(self.back_after_s())

    async def show(self) -> None:
        headers = {"Cookie": f"sessionid={self.session}"}
        options: dict[str, Any] = {"compression": None, "max_size": None, "proxy": None, "open_timeout": 3, "ping_interval": None}
        async with websockets.connect(
            self.url,
            origin=self.origin,
            subprotocols=["rtcc.live.v1"],
            additional_headers=headers,
            **options,  # type: ignore[arg-type]
        ) as socket:
            self.state, self.connections = State(faults=self.faults), self.connections + 1
            await self.look(socket)
            await self.read(socket)

    async def read(self, socket: "websockets.ClientConnection") -> None:
        """A server that says nothing for 4 s is left (it speaks each second)."""
        acknowledged_at = panned_at = time.monotonic()
        unacknowledged = 0
        while True:
            async with asyncio.timeout(4):
                message = await socket.recv()
            if isinstance(message, bytes):
                self.state.frame(message)
                self.heard_positions(message)
            else:
                self.state.text(json.loads(message))
            now = time.monotonic()
            unacknowledged += len(message)
            if now - acknowledged_at >= 0.5 or unacknowledged >= ACKNOWLEDGE_BYTES:
                acknowledged_at, unacknowledged = now, 0
                await socket.send(json.dumps({"type": "ack", "seq": self.state.seq}))
            if self.pans and now - panned_at >= 1:
                panned_at = now
                await self.look(socket)

    async def look(self, socket: "websockets.ClientConnection") -> None:
        box = self.next_box()
        self.state.look(box)
        await socket.send(json.dumps({"type": "view", "bbox": box, "zoom": 12.5}))

    def next_box(self) -> Box:
        if self.wide:
            return (CENTER[0] - 8, CENTER[1] - 8, CENTER[0] + 8, CENTER[1] + 8)
        lon, lat = (axis + self.rng.uniform(-0.04, 0.04) for axis in CENTER)
        size = self.rng.uniform(0.01, 0.06)
        return (lon - size, lat - size, lon + size, lat + size)

    def expected(self, served: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what of the server's positions (rows of track id, agency, lon, lat, ascending) this view must show."""
        x, y = tile_of(served[:, 2] / 1e7, served[:, 3] / 1e7, self.state.zoom)
        return served[np.isin(served[:, 1], self.agencies) & self.state.tiles.hold(x, y)][:, [0, 2, 3]]
