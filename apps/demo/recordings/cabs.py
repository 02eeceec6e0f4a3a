"""San Francisco's cabs as units: a text file a cab, `lat lon occupied unix-seconds` a line, newest first."""

import gzip
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from heapq import merge
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from apps.demo.recordings.contract import Event, Feed, Part, UnknownRecording

FEED = Feed(
    agency="sanfrancisco",
    agency_name="San Francisco (recorded)",
    time_zone="America/Los_Angeles",
    slug="sanfrancisco-cabs",
    name="San Francisco cabs, recorded",
    adapter="fixes",
    interval_s=60,
)
Fixes = NDArray[np.float64]
SECONDS = 3


class Cabs:
    """One file, or every file of a folder. A cab's call sign is its file's name."""

    feed = FEED

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = sorted(chain(path.glob("*.txt.gz"), path.glob("*.txt"))) if path.is_dir() else [path]
        if not self.files:
            raise UnknownRecording(f"there is no GPS file (.txt, .txt.gz) in {path}")

    def span(self) -> tuple[datetime, datetime]:
        tracks = [track for track in map(read, self.files) if len(track)]
        if not tracks:
            raise UnknownRecording(f"there is no fix in {self.path}")
        return at(min(track[0, SECONDS] for track in tracks)), at(max(track[-1, SECONDS] for track in tracks))

    def events(self, start: datetime, end: datetime) -> Iterator[Event]:
        return merge(*(fixes(file, start, end) for file in self.files), key=lambda event: event.at)

    def bodies(self, parts: Sequence[Part]) -> list[Part]:
        return [{"fixes": list(parts)}]


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def read(file: Path) -> Fixes:
    """Return lat, lon, occupied and unix seconds of each fix, oldest first. Raises UnknownRecording."""
    content = file.read_bytes()
    try:
        text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode()
        rows = np.array(text.split(), dtype=np.float64).reshape(-1, 4)
    except (ValueError, OSError, EOFError) as error:
        raise UnknownRecording(f"{file.name} is not a cab's GPS file (lat lon occupied unix-seconds a line): {error}") from error
    return rows[np.argsort(rows[:, SECONDS], kind="stable")]


def fixes(file: Path, start: datetime, end: datetime) -> Iterator[Event]:
    name = file.name.split(".")[0].removeprefix("new_")
    rows = read(file)
    inside = (rows[:, SECONDS] >= start.timestamp()) & (rows[:, SECONDS] <= end.timestamp())
    for lat, lon, occupied, seconds in rows[inside]:
        part = {"id": name, "time": int(seconds), "lon": float(lon), "lat": float(lat), "call_sign": name.upper(), "kind": "car"}
        yield Event(at(seconds), part | {"status": "BSY" if occupied else "AVL"})
