"""What a recording tells the replay: whose data it is, how it enters, and its events in the order of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

Part = dict[str, Any]


class UnknownRecording(Exception):
    """The file is not one that the replay can read."""


@dataclass(frozen=True)
class Feed:
    """The agency and the source that a recording is replayed through."""

    agency: str
    agency_name: str
    time_zone: str
    slug: str
    name: str
    adapter: str
    interval_s: float
    settings: Part = field(default_factory=dict)


class Event(NamedTuple):
    """What was observed at a moment: one part of a post's body."""

    at: datetime
    part: Part


class Recording(Protocol):
    """`events(start, end)` yields, in the order of time, first what makes the state at `start` (with its own, earlier
    times) and then everything up to and with `end`."""

    path: Path
    feed: Feed

    def span(self) -> tuple[datetime, datetime]: ...
    def events(self, start: datetime, end: datetime) -> Iterator[Event]: ...
    def bodies(self, parts: Sequence[Part]) -> list[Part]:
        """Return the bodies of the posts that carry these parts, in order."""
        ...
