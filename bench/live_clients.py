"""2,000 browsers in one process: `python -m bench.live_clients`, steered by lines of JSON on standard input, answering one line each."""

import asyncio
import socket
import struct
import sys
import time
from array import array
from typing import Any

import numpy as np
import orjson
import picows
import uvloop

from apps.live.tiles import tile_keys, watched_keys

OPENING = struct.Struct("<4xI")
FIRST = struct.Struct("<8xd12xII12xI")  # now, flags and count of the first blob, age of its first record
BLOB = struct.Struct("<IIIII")
PLACE = np.dtype({"names": ["handle", "place"], "formats": ["<u4", "<i8"], "offsets": [0, 4], "itemsize": 20})
HEADER_BYTES = ROW_BYTES = 20
FRAME_HEADER_BYTES = 16
ACK_TURNS = 20
ALL_TILES = 0xFFFFFFFF


class Phase:
    """What every browser does at present."""

    is_measuring = False
    keeps = True
    is_still = False
    frames = 0
    bytes = 0


class Browser(picows.WSListener):  # type: ignore[misc]
    """Keeps what it gets, and in the end works out what a page would draw: the place of each handle, as the record's two words."""

    def __init__(self, bbox: list[float]) -> None:
        self.bbox = bbox
        self.seq = 0
        self.kept: list[bytes | list[float]] = []
        self.places: dict[int, int] = {}
        self.tracks: dict[int, int] = {}
        self.owners: dict[int, int] = {}
        self.staleness_ms = array("f")
        self.resets = 0
        self.gaps = 0
        self.agencies: list[int] = []
        self.transport: Any = None
        self.greeted = asyncio.get_running_loop().create_future()
        self.is_closed = False

    def on_ws_connected(self, transport: Any) -> None:
        self.transport = transport

    def on_ws_disconnected(self, transport: Any) -> None:
        self.is_closed = True

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        payload = frame.get_payload_as_bytes()
        if frame.msg_type == picows.WSMsgType.BINARY:
            self.take_frame(payload)
        elif frame.msg_type == picows.WSMsgType.TEXT:
            self.take_text(orjson.loads(payload))

    def take_frame(self, payload: bytes) -> None:
        Phase.frames += 1
        Phase.bytes += len(payload)
        (seq,) = OPENING.unpack_from(payload)
        self.gaps += seq != self.seq + 1
        self.seq = seq
        if Phase.keeps:
            self.kept.append(payload)
        if Phase.is_measuring:
            now_ms, flags, count, age_ms = FIRST.unpack_from(payload)
            if count and not flags:
                self.staleness_ms.append(time.time() * 1000 - now_ms + age_ms)

    def take_text(self, body: dict[str, Any]) -> None:
        self.gaps += body["seq"] != self.seq + 1
        self.seq = body["seq"]
        if body["type"] == "introduce":
            for unit in body["units"]:
                self.tracks[unit["handle"]] = unit["id"]
                self.owners[unit["handle"]] = body["agency"]
        elif body["type"] == "hello":
            self.agencies = [agency["id"] for agency in body["agencies"]]
            self.greeted.set_result(None)
        elif body["type"] == "reset":
            self.resets += 1
            self.kept.clear()
            self.places.clear()

    def say(self, **words: Any) -> None:
        if not self.is_closed:
            self.transport.send(picows.WSMsgType.TEXT, orjson.dumps(words))

    def look(self, bbox: list[float]) -> None:
        self.bbox = bbox
        self.kept.append(bbox)
        self.say(type="view", bbox=bbox, zoom=12)

    def settle(self) -> None:
        """Apply what was kept, frames and views, in order; runs of changes at once, whole tiles one by one."""
        changes: list[Any] = []
        for payload in self.kept:
            if isinstance(payload, list):
                self.put(changes)
                self.forget_unwatched(payload)
                continue
            heads, has_whole = blobs_of(payload)
            rows = np.frombuffer(payload, PLACE, offset=FRAME_HEADER_BYTES)
            if not has_whole:
                changes.append(np.delete(rows, [index for index, _, _ in heads]))
                continue
            self.put(changes)
            for index, count, tile in heads:
                self.replace(tile, rows[index + 1 : index + 1 + count])
        self.put(changes)
        self.kept.clear()
        self.forget_unwatched(self.bbox)

    def put(self, changes: list[Any]) -> None:
        if changes:
            rows = np.concatenate(changes)
            self.places.update(zip(rows["handle"].tolist(), rows["place"].tolist(), strict=True))
            changes.clear()

    def replace(self, tile: int, rows: Any) -> None:
        gone = [handle for handle, key in zip(self.places, self.keys(), strict=True) if key == tile]
        for handle in gone:
            del self.places[handle]
        self.put([rows])

    def keys(self) -> list[int]:
        """Return the tile of each handle."""
        lonlat = np.fromiter(self.places.values(), np.int64, len(self.places)).view(np.int32).reshape(-1, 2)
        owners = np.fromiter((self.owners[handle] for handle in self.places), np.int64, len(self.places))
        return (tile_keys(0, lonlat[:, 0], lonlat[:, 1]) | owners << 26).tolist()  # type: ignore[no-any-return]

    def forget_unwatched(self, bbox: list[float]) -> None:
        watched = set(watched_keys(bbox, self.agencies))
        self.places = {handle: place for (handle, place), key in zip(self.places.items(), self.keys(), strict=True) if key in watched}


def blobs_of(payload: bytes) -> tuple[list[tuple[int, int, int]], bool]:
    """Return row index, count and tile key of each blob, and whether one of them is whole."""
    heads = []
    at, end, has_whole = FRAME_HEADER_BYTES, len(payload), False
    while at < end:
        agency, x, y, flags, count = BLOB.unpack_from(payload, at)
        heads.append(((at - FRAME_HEADER_BYTES) // ROW_BYTES, count, agency << 26 | x << 13 | y))
        has_whole |= bool(flags)
        at += HEADER_BYTES + ROW_BYTES * count
    return heads, has_whole


class Crowd:
    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.browsers: list[Browser] = []
        self.stalled: list[Browser] = []
        self.rng = np.random.default_rng(11)
        self.tasks: list[asyncio.Task[None]] = []

    async def connect(self) -> dict[str, Any]:
        room = asyncio.Semaphore(40)
        self.tasks = [asyncio.create_task(self._acknowledge())]
        await asyncio.gather(*(self._connect_one(room, **facts) for facts in self.plan["browsers"]))
        for browser in self.browsers[: self.plan["stalled"]]:
            self.stalled.append(browser)
        self.browsers = self.browsers[self.plan["stalled"] :]
        self.tasks.append(asyncio.create_task(self._pan()))
        for browser in self.stalled:
            self._stall(browser)
        return {"connected": len(self.browsers) + len(self.stalled)}

    async def _connect_one(self, room: asyncio.Semaphore, cookie: str, bbox: list[float]) -> None:
        async with room:
            headers = {"Cookie": f"sessionid={cookie}", "Origin": self.plan["origin"], "Sec-WebSocket-Protocol": "rtcc.live.v1"}
            _, browser = await picows.ws_connect(
                lambda: Browser(bbox), self.plan["url"], extra_headers=headers, websocket_handshake_timeout=60, use_aiofastnet=False
            )
            self.browsers.append(browser)
            await browser.greeted
            browser.look(bbox)

    def _stall(self, browser: Browser) -> None:
        """Read nothing more, and let the kernel hold as little as it can on this side."""
        transport = browser.transport.underlying_transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        transport.pause_reading()

    async def _acknowledge(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(1 / ACK_TURNS)
            for browser in self.browsers[turn::ACK_TURNS]:
                browser.say(type="ack", seq=browser.seq)
            turn = (turn + 1) % ACK_TURNS

    async def _pan(self) -> None:
        panning = self.browsers[: self.plan["panning"]]
        turn = 0
        while panning:
            await asyncio.sleep(0.1)
            for browser in panning[turn::10] if not Phase.is_still else ():
                west, south, east, north = browser.bbox
                x, y = (self.rng.uniform(-0.3, 0.3, 2) * (east - west, north - south)).tolist()
                browser.look([west + x, south + y, east + x, north + y])
            turn = (turn + 1) % 10

    async def measure(self, seconds: float) -> dict[str, Any]:
        """Let staleness be noted; return it by browser: p50 of all, p99 of the worst browser."""
        Phase.is_measuring, Phase.frames, Phase.bytes = True, 0, 0
        await asyncio.sleep(seconds)
        Phase.is_measuring = False
        every = np.concatenate([np.frombuffer(browser.staleness_ms, np.float32) for browser in self.browsers])
        worst = max(float(np.percentile(browser.staleness_ms, 99)) for browser in self.browsers if len(browser.staleness_ms))
        return {
            "p50_ms": float(np.percentile(every, 50)), "p99_ms": worst, "p99_of_all_ms": float(np.percentile(every, 99)),
            "frames_per_s": Phase.frames / seconds, "frame_bytes": Phase.bytes / max(1, Phase.frames),
        }  # fmt: skip

    async def count(self, seconds: float) -> dict[str, Any]:
        """Only count frames: what is kept to compare would slow the reading."""
        Phase.keeps, Phase.is_still = False, True
        await asyncio.sleep(1)
        Phase.frames = Phase.bytes = 0
        started, cpu = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        took = time.monotonic() - started
        return {
            "frames_per_s": Phase.frames / took, "frame_bytes": Phase.bytes / max(1, Phase.frames),
            "clients_cpu": (time.process_time() - cpu) / took,
        }  # fmt: skip

    async def be_still(self) -> dict[str, Any]:
        Phase.is_still = True
        return {}

    async def drawn(self, path: str) -> dict[str, Any]:
        """Write what every browser draws: watched keys and place by track."""
        told = []
        for browser in self.browsers:
            browser.settle()
            keys = watched_keys(browser.bbox, browser.agencies)
            told.append({"keys": keys, "places": [(browser.tracks[handle], place) for handle, place in browser.places.items()]})
        with open(path, "wb") as file:
            file.write(orjson.dumps(told))
        living = [browser for browser in self.browsers if not browser.is_closed]
        faults = {name: sum(getattr(browser, name) for browser in living) for name in ("resets", "gaps")}
        return {"closed": len(self.browsers) - len(living), **faults}


async def main() -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=2**26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    crowd = Crowd(orjson.loads(await lines.readline()))
    while line := await lines.readline():
        name, *words = orjson.loads(line)
        print(orjson.dumps(await getattr(crowd, name)(*words)).decode(), flush=True)
    for task in crowd.tasks:
        task.cancel()


uvloop.run(main())
