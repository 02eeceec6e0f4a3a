"""Replay recorded data through the real front door on the simulated clock.

`Sender` sends what has been observed by the instance's time and nothing that lies ahead of it, so it can be driven by the
clock (`run`) or by a test, moment by moment (`send_until`).
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

from django.db import connection

from apps.accounts.instance import InstanceState, read_instance
from apps.demo.front_door import Door, Poster, Receipt, Refused
from apps.demo.recordings.contract import Event, Part, Recording
from apps.geo.clock import Clock

MOST_PARTS = 500
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.02, 0.5
WINDOW_S = 0.1
WAITING = "SELECT EXISTS (SELECT FROM ingest_inbound WHERE source_id = (SELECT id FROM ingest_source WHERE slug = %s))"


TAKEN_OVER = "another replay or the simulated patrol has taken over this instance"


class Interrupted(Exception):
    """Another replay has taken over, or the replay was stopped."""


@dataclass
class Count:
    """What the front door has acknowledged. `through`: everything observed by then has been sent."""

    posts: int = 0
    sent: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    through: datetime | None = None

    def add(self, parts: int, receipt: Receipt) -> None:
        self.posts += 1
        self.sent += parts
        self.accepted += receipt.accepted
        self.rejected.update(rejection.reason for rejection in receipt.rejected)

    @property
    def rejects(self) -> int:
        return sum(self.rejected.values())


class Sender:
    """Sends the events of one recording in their order, each post until it is acknowledged."""

    def __init__(self, recording: Recording, door: Door, events: Iterable[Event], poster: Poster | None = None) -> None:
        self.recording, self.door, self.poster = recording, door, poster or Poster()
        self.count = Count()
        self._events: Iterator[Event] = iter(events)
        self._next = next(self._events, None)

    @property
    def next_at(self) -> datetime | None:
        """When the next event was observed; None when all are sent."""
        return self._next.at if self._next else None

    def send_until(self, at: datetime) -> int:
        """Send every event observed by `at`; return how many. Raises front_door.Refused."""
        sent = 0
        due = self._due(at)
        while parts := list(islice(due, MOST_PARTS)):
            sent += len(parts)
            self._post(parts)
        self.count.through = at
        return sent

    def _due(self, at: datetime) -> Iterator[Part]:
        while self._next and self._next.at <= at:
            part = self._next.part
            self._next = next(self._events, None)
            yield part

    def _post(self, parts: list[Part]) -> None:
        bodies = self.recording.bodies(parts)
        for body in bodies:
            self.count.add(len(parts) // len(bodies), self.poster.post(self.door, body))

    def wait_until_processed(self, *, patience_s: float = 60) -> None:
        """Wait until the queue holds nothing of this source. Raises TimeoutError."""
        given_up = time.monotonic() + patience_s
        while is_queued(self.recording.feed.slug):
            if time.monotonic() > given_up:
                raise TimeoutError(f"the pipeline has not processed what was sent within {patience_s:.0f} s; is it running?")
            time.sleep(0.02)


def is_queued(slug: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [slug])
        return bool(cursor.fetchone()[0])


def run(sender: Sender, *, generation: int, end: datetime, tell: Callable[[Count, datetime], object]) -> None:
    """Send by the instance's clock until it shows `end`; call `tell` each second. Raises Interrupted, front_door.Refused."""
    told = 0.0
    while True:
        now = instance_of(generation).clock.now()
        send_unless_silenced(sender, min(now, end))
        if time.monotonic() - told >= 1:
            told = time.monotonic()
            tell(sender.count, now)
        if now >= end:
            return
        time.sleep(pause_s(min(sender.next_at or end, end), instance_of(generation).clock))


def send_unless_silenced(sender: Sender, at: datetime) -> None:
    """Raises Interrupted when the source was switched off, which is what begins another story."""
    try:
        sender.send_until(at)
    except Refused as error:
        if error.word == "switched_off":
            raise Interrupted(TAKEN_OVER) from error
        raise


def instance_of(generation: int) -> InstanceState:
    """Raises Interrupted when history is no longer that of this replay."""
    instance = read_instance()
    if instance.generation != generation:
        raise Interrupted(TAKEN_OVER)
    return instance


def pause_s(next_at: datetime, clock: Clock) -> float:
    """Return how long to wait until the next event is due and its window is over."""
    ahead = (next_at - clock.now()) / timedelta(seconds=1) / clock.speed
    return min(max(ahead, SHORTEST_WAIT_S) + WINDOW_S, LONGEST_WAIT_S)


def lag_s(count: Count, now: datetime) -> float:
    """Return how far the sending is behind the instance's time, in its seconds."""
    return max(0.0, (now - count.through).total_seconds()) if count.through else 0.0


def real_now() -> datetime:
    return datetime.now(UTC)
