"""What a browser would show, for tests: a client of rtcc.live.v1 that keeps features and positions as the protocol says.

with LiveMap(system.live_url, cookie=sign_in(member), origin=system.url) as seen:
    seen.until(lambda: "4A12" in seen.call_signs("harbor"), what="the unit is on the map")
"""

import json
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from django.test import Client
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from apps.accounts.models import Member

COMPLETE = 1
WHOLE_WORLD = [-179.9, -80.0, 179.9, 80.0]
HEADER = struct.Struct("<HHId")
BLOB = struct.Struct("<IIIII")
RECORD = struct.Struct("<IiiIBBBB")
EVERYWHERE = 0xFFFFFFFF
ACKNOWLEDGE_EVERY_S = 1.0
ACKNOWLEDGE_EVERY_BYTES = 32_768


def sign_in(member: Member) -> str:
    """Return the cookie header of a session of the member."""
    client = Client()
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    return f"sessionid={client.cookies['sessionid'].value}"


@dataclass
class Seen:
    """The state that the messages add up to."""

    hello: dict[str, Any] = field(default_factory=dict)
    features: dict[tuple[str, int], dict[int, dict[str, Any]]] = field(default_factory=dict)
    introduced: dict[int, dict[str, Any]] = field(default_factory=dict)
    positions: dict[int, tuple[float, float, int]] = field(default_factory=dict)
    heartbeat: dict[str, Any] = field(default_factory=dict)
    resets: int = 0
    seq: int = 0
    gaps: list[int] = field(default_factory=list)

    def text(self, message: dict[str, Any]) -> None:
        kind, key = message["type"], (message.get("layer", ""), message.get("agency", 0))
        if kind == "hello":
            self.hello = message
        elif kind == "snapshot":
            self.features[key] = {feature["id"]: feature for feature in message["features"]}
        elif kind == "changes":
            kept = self.features.setdefault(key, {})
            kept.update({feature["id"]: feature for feature in message["features"]})
            for id in message["removed"]:
                kept.pop(id, None)
        elif kind == "introduce":
            self.introduced.update({unit["handle"]: unit | {"agency": message["agency"]} for unit in message["units"]})
        elif kind == "withdraw":
            self.withdraw(*key)
        elif kind == "heartbeat":
            self.heartbeat = message
        elif kind == "reset":
            self.features, self.positions = {}, {}
            self.resets += 1

    def withdraw(self, layer: str, agency: int) -> None:
        self.features.pop((layer, agency), None)
        if layer == "units":
            gone = [handle for handle, unit in self.introduced.items() if unit["agency"] == agency]
            for handle in gone:
                self.positions.pop(handle, None)

    def frame(self, frame: bytes) -> None:
        """Apply positions. Records of a complete tile replace what was known there only by their own handles: tests look at
        where a unit is, not at what left a view. All that an agency has (a view of the whole world) replaces what it had."""
        _, blobs, _, _ = HEADER.unpack_from(frame)
        offset = HEADER.size
        for _ in range(blobs):
            agency, tile_x, _, flags, count = BLOB.unpack_from(frame, offset)
            offset += BLOB.size
            if flags & COMPLETE and tile_x == EVERYWHERE:
                self.positions = {one: at for one, at in self.positions.items() if self.introduced.get(one, {}).get("agency") != agency}
            for _ in range(count):
                handle, lon, lat, _, _, _, status, _ = RECORD.unpack_from(frame, offset)
                self.positions[handle] = (lon / 1e7, lat / 1e7, status)
                offset += RECORD.size


class LiveMap:
    """Reads in a thread of its own. Acknowledges each second by another, whether anything comes or not, and sooner after much, as
    the page does: one that waited for a message before it acknowledged would wait for good once the server waits for it."""

    def __init__(self, url: str, *, cookie: str, origin: str, bbox: list[float] | None = None, zoom: float = 12) -> None:
        self.seen = Seen()
        self.error: Exception | None = None
        self.view = {"type": "view", "bbox": bbox or WHOLE_WORLD, "zoom": zoom}
        self._opening = connect(
            url,
            origin=origin,
            subprotocols=["rtcc.live.v1"],
            additional_headers={"Cookie": cookie},
            max_size=None,
            compression=None,
            proxy=None,
        )
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._acknowledged = 0
        self._heard_at = time.monotonic()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._acknowledger = threading.Thread(target=self._acknowledge_each_second, daemon=True)

    def __enter__(self) -> "LiveMap":
        self._connection = self._opening.__enter__()
        self._reader.start()
        self._acknowledger.start()
        self.send(self.view)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.set()
        self._opening.__exit__(kind, error, trace)
        self._reader.join(timeout=5)

    def send(self, message: dict[str, Any]) -> None:
        self._connection.send(json.dumps(message))

    def _read(self) -> None:
        unacknowledged = 0
        try:
            for message in self._connection:
                with self._lock:
                    self._apply(message)
                    self._heard_at = time.monotonic()
                unacknowledged += len(message)
                if unacknowledged > ACKNOWLEDGE_EVERY_BYTES:
                    unacknowledged = 0
                    self._acknowledge()
        except ConnectionClosed as error:
            self.error = error

    def _acknowledge_each_second(self) -> None:
        while not self._ending.wait(ACKNOWLEDGE_EVERY_S):
            if self.seen.seq > self._acknowledged:
                try:
                    self._acknowledge()
                except ConnectionClosed:
                    return

    def _acknowledge(self) -> None:
        self._acknowledged = seq = self.seen.seq
        self.send({"type": "ack", "seq": seq})

    def _apply(self, message: str | bytes) -> None:
        seq = HEADER.unpack_from(message)[2] if isinstance(message, bytes) else json.loads(message)["seq"]
        if seq != self.seen.seq + 1:
            self.seen.gaps.append(seq)
        self.seen.seq = seq
        if isinstance(message, bytes):
            self.seen.frame(message)
        else:
            self.seen.text(json.loads(message))

    def until(self, condition: Callable[[], object], *, what: str, within_s: float = 10) -> None:
        """Wait until what is seen satisfies a condition. Raises AssertionError."""
        given_up = time.monotonic() + within_s
        while True:
            with self._lock:
                if condition():
                    return
            assert self._reader.is_alive(), f"the socket closed: {self.error}"
            assert time.monotonic() < given_up, f"not seen within {within_s:g} s: {what}; {self.describe()}"
            time.sleep(0.02)

    def describe(self) -> str:
        """Say in a line what is seen, for who must find out why it is not something else."""
        layers = {f"{layer} of {agency}": len(kept) for (layer, agency), kept in self.seen.features.items()}
        silent_s = time.monotonic() - self._heard_at
        return (
            f"seen: {layers}, {len(self.seen.positions)} positions, {self.seen.resets} resets, gaps {self.seen.gaps}, "
            f"message {self.seen.seq} {silent_s:.1f} s ago"
        )

    def agency(self, slug: str) -> int:
        return next((agency["id"] for agency in self.seen.hello.get("agencies", []) if agency["slug"] == slug), 0)

    def of(self, layer: str, agency: str) -> list[dict[str, Any]]:
        """Return the features of a layer of an agency."""
        return list(self.seen.features.get((layer, self.agency(agency)), {}).values())

    def calls(self, agency: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the calls on the map and board, by number."""
        return {call["properties"]["number"]: call["properties"] | {"geometry": call["geometry"]} for call in self.of("calls", agency)}

    def units(self, agency: str) -> dict[str, tuple[float, float, int]]:
        """Return lon, lat and status number of each unit that is drawn, by call sign (or its name without one)."""
        introduced = {handle: unit for handle, unit in self.seen.introduced.items() if unit["agency"] == self.agency(agency)}
        return {
            unit["unit"] or unit["name"]: self.seen.positions[handle]
            for handle, unit in introduced.items()
            if handle in self.seen.positions
        }

    def unlocated(self, agency: str) -> int:
        return int(self.seen.heartbeat.get("unlocated", {}).get(str(self.agency(agency)), 0))
