"""Which tiles the bench asks for, and how: one answer at a time over HTTP, or by many askers at once."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tile = tuple[int, int, int]
SIDE = 1 << 31


def tiles_of(lon: NDArray[np.float64], lat: NDArray[np.float64], zoom: int) -> NDArray[np.int64]:
    """Return column and row of each point, by the formula of Web Mercator alone."""
    shift = 31 - zoom
    x = np.floor((lon + 180) / 360 * SIDE).astype(np.int64) >> shift
    y = np.floor((0.5 - np.arcsinh(np.tan(np.radians(lat))) / (2 * np.pi)) * SIDE).astype(np.int64) >> shift
    return np.stack([x, y], axis=1)


def counts_of(lon: NDArray[np.float64], lat: NDArray[np.float64], zoom: int) -> Counter[Tile]:
    return Counter((zoom, x, y) for x, y in tiles_of(lon, lat, zoom).tolist())


def mixed(counts: Counter[Tile], zoom: int, *, busy: int, sparse: int) -> list[Tile]:
    """Return different tiles in random order: `busy` drawn by how many calls they hold, `sparse` from the city's box, empty ones too."""
    rng = np.random.default_rng(zoom)
    known = sorted(counts)
    weights = np.array([counts[one] for one in known], float)
    chosen = rng.choice(len(known), min(busy, len(known)), replace=False, p=weights / weights.sum())
    columns, rows = [x for _, x, _ in known], [y for *_, y in known]
    box = [(zoom, x, y) for x in range(min(columns), max(columns) + 1) for y in range(min(rows), max(rows) + 1)]
    picked = {known[place] for place in chosen}
    others = [box[place] for place in rng.permutation(len(box)) if box[place] not in picked][:sparse]
    every = [*picked, *others]
    return [every[place] for place in rng.permutation(len(every))]


class Asker:
    """One kept connection that asks for one tile after the other and keeps nothing."""

    def __init__(self, port: int, path: str, headers: dict[str, str]) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self.path, self.headers = path, headers

    def ask(self, tile: Tile) -> tuple[float, bytes]:
        """Return the milliseconds until the whole tile was there, and the tile."""
        z, x, y = tile
        start = time.perf_counter()
        self.connection.request("GET", self.path.format(z=z, x=x, y=y), headers=self.headers)
        response = self.connection.getresponse()
        body = response.read()
        taken = (time.perf_counter() - start) * 1e3
        if response.status not in (200, 204):
            raise SystemExit(f"{tile} was answered {response.status}: {body[:200]!r}")
        return taken, body

    def all(self, tiles: Iterable[Tile]) -> tuple[list[float], list[bytes]]:
        answers = [self.ask(tile) for tile in tiles]
        return [taken for taken, _ in answers], [body for _, body in answers]


def told(body: bytes) -> int:
    """Return how many calls a tile tells of: those that it draws, and those that its cells stand for (the attribute `count`)."""
    return sum(told_by_layer(layer) for number, layer in fields(body) if number == LAYER)


def told_by_layer(layer: Any) -> int:
    parts: dict[int, list[Any]] = {}
    for number, value in fields(layer):
        parts.setdefault(number, []).append(value)
    features, keys = parts.get(FEATURE, []), [bytes(key) for key in parts.get(KEY, [])]
    if b"count" not in keys:
        return len(features)
    values = [next(iter(fields(value)))[1] for value in parts[VALUE]]
    return sum(values[pair[1]] for feature in features for pair in pairs(feature) if keys[pair[0]] == b"count")


LAYER, FEATURE, KEY, VALUE, TAGS = 3, 2, 3, 4, 2
"""Numbers of fields in the Mapbox Vector Tile specification. Read by hand: a whole decoder takes longer than the server."""


def fields(message: Any) -> Iterator[tuple[int, Any]]:
    """Yield the number and value of each field of a protobuf message: varints as numbers, the rest as bytes."""
    message, at = memoryview(message), 0
    while at < len(message):
        tag, at = varint(message, at)
        if tag & 7 == 0:
            value, at = varint(message, at)
            yield tag >> 3, value
        else:
            size, at = {1: (8, at), 5: (4, at)}.get(tag & 7) or varint(message, at)
            yield tag >> 3, message[at : at + size]
            at += size


def varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value, at, shift = value | (byte & 127) << shift, at + 1, shift + 7
        if byte < 128:
            return value, at


def pairs(feature: memoryview) -> Iterator[tuple[int, int]]:
    """Yield the places of key and value of a feature's attributes."""
    tags = next(value for number, value in fields(feature) if number == TAGS)
    at = 0
    while at < len(tags):
        key, at = varint(tags, at)
        value, at = varint(tags, at)
        yield key, value


@dataclass
class Heard:
    """What askers who know a tag were answered."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_s(self) -> float:
        return round(self.statuses[304] / self.seconds, 1)

    @property
    def not_modified_share(self) -> float:
        return round(self.statuses[304] / self.statuses.total(), 4)


async def revalidate(port: int, paths: Sequence[Sequence[str]], headers: dict[str, str], *, seconds: float, every_s: float) -> Heard:
    """Each view (a list of addresses) gets its tiles once, uncounted; then it asks again whether they changed, every `every_s` seconds
    (0: again at once). Over its own kept connection, one question after the other."""
    heard, ready = Heard(), asyncio.Barrier(len(paths) + 1)

    async def view(number: int, addresses: Sequence[str]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        tags = [(await get(reader, writer, address, headers, ""))[1] for address in addresses]
        await ready.wait()
        until, turn = time.monotonic() + seconds, time.monotonic() + every_s * number / len(paths)
        while (now := time.monotonic()) < until:
            if now < turn:
                await asyncio.sleep(turn - now)
            turn += every_s
            for place, address in enumerate(addresses):
                status, tags[place] = await get(reader, writer, address, headers, tags[place])
                heard.statuses[status] += 1
        writer.close()

    tasks = [asyncio.create_task(view(number, addresses)) for number, addresses in enumerate(paths)]
    await ready.wait()
    start = time.monotonic()
    await asyncio.gather(*tasks)
    heard.seconds = time.monotonic() - start
    return heard


async def get(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, headers: dict[str, str], tag: str
) -> tuple[int, str]:
    """Return status and tag. Raises SystemExit on what is neither 200 nor 304."""
    sent = {"Host": "127.0.0.1", **headers, **({"If-None-Match": tag} if tag else {})}
    words = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    writer.write(f"GET {address} HTTP/1.1\r\n{words}\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    told: dict[str, Any] = dict(line.lower().split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:] if ": " in line)
    status = int(head[9:12])
    if length := int(told.get("content-length", 0)) if status == 200 else 0:
        await reader.readexactly(length)
    if status not in (200, 304):
        raise SystemExit(f"{address} was answered {head.decode('latin-1')}")
    return status, str(told["etag"])
