"""2,000 fixes and 5 calls a second, through the front door, with a little of everything that real feeds do.

Each sender is serial: the next post of a track leaves only when the last one is acknowledged. A sender that was held up
catches up as fast as it can.
"""

import asyncio
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.http import Poster
from tests.faults.ledger import AckedCall, AckedFix, Ledger
from tests.faults.staging import CENTER

SENDERS, TRACKS_A_SENDER, EVERY_S = 10, 40, 0.2
CALLS_A_SECOND = 5
STEP_DEG = 0.0008
REACH_DEG = 0.04
SOUTH_SENDERS = 3


@dataclass
class Wanderer:
    """A track that walks around the center, turning a little at each step."""

    identity: str
    rng: random.Random
    lon: float = 0.0
    lat: float = 0.0
    bearing: float = 0.0
    said: list[AckedFix] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lon, self.lat = (axis + self.rng.uniform(-REACH_DEG, REACH_DEG) for axis in CENTER)
        self.bearing = self.rng.uniform(0, 2 * math.pi)

    def step(self) -> None:
        self.bearing += self.rng.uniform(-0.5, 0.5)
        self.lon += math.cos(self.bearing) * STEP_DEG
        self.lat += math.sin(self.bearing) * STEP_DEG
        if abs(self.lon - CENTER[0]) > REACH_DEG or abs(self.lat - CENTER[1]) > REACH_DEG:
            self.bearing = math.atan2(CENTER[1] - self.lat, CENTER[0] - self.lon)

    def next_fixes(self, agency: str, at_us: int) -> list[AckedFix]:
        """Return what the track says now: one fix; now and then also one that is repeated, late or in conflict."""
        self.step()
        after = self.said[-1].observed_us + 2_000 if self.said else 0
        us = max(at_us // 1_000 * 1_000, after)
        speed = round(self.rng.uniform(0, 30), 1)
        fix = AckedFix(agency, self.identity, us, round(self.lon, 7), round(self.lat, 7), speed)
        chance = self.rng.random()
        old = self.said[-1] if self.said else None
        self.said = [*self.said[-3:], fix]
        if old and chance < 0.01:
            return [fix, old]
        if old and chance < 0.02:
            return [fix, old._replace(observed_us=old.observed_us - 1_000, lon=round(old.lon + 0.01, 7))]
        if old and chance < 0.022:
            return [fix, fix._replace(lon=round(fix.lon + 0.02, 7))]
        return [fix]


def as_json(fix: AckedFix) -> dict[str, Any]:
    return {"id": fix.identity, "time": fix.observed_us / 1e6, "lon": fix.lon, "lat": fix.lat, "speed_mps": fix.speed_mps}


@dataclass
class Load:
    """Runs in an event loop of the caller's. `end()` waits until all that was sent is acknowledged. `extras`: also what is
    repeated, late or in conflict."""

    ledger: Ledger
    port: int
    keys: dict[str, str]
    now_us: Callable[[], int]
    seed: int
    extras: bool = True
    tracks_a_sender: int = TRACKS_A_SENDER
    ending: bool = False
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def begin(self) -> None:
        jobs = [self.send_fixes(number) for number in range(SENDERS)] + [self.send_calls()]
        self.tasks = [asyncio.create_task(job) for job in jobs]

    def break_off(self) -> None:
        """Stop without waiting for answers: the server is gone for good."""
        for task in self.tasks:
            task.cancel()

    async def end(self) -> None:
        """Raises what a sender raised, and TimeoutError when something stays unacknowledged for 20 s."""
        self.ending = True
        async with asyncio.timeout(20):
            await asyncio.gather(*self.tasks)

    async def send_fixes(self, number: int) -> None:
        agency = "south" if number < SOUTH_SENDERS else "north"
        rng, poster = random.Random(self.seed * 100 + number), Poster(self.port)
        tracks = [Wanderer(f"{self.ledger.prefix}{agency}-{number}-{place}", rng) for place in range(self.tracks_a_sender)]
        due = time.monotonic() + EVERY_S * number / SENDERS
        while not self.ending:
            await asyncio.sleep(due - time.monotonic())
            due += EVERY_S
            fixes = [fix for track in tracks for fix in track.next_fixes(agency, self.now_us())[: None if self.extras else 1]]
            slug = f"{agency}-gps"
            answer = await poster.until_acknowledged(slug, self.keys[slug], {"fixes": [as_json(fix) for fix in fixes]})
            self.ledger.note(fixes)
            self.ledger.rejected += [str(reject) for reject in answer["rejected"]]
        self.ledger.repeats += poster.repeats
        poster.close()

    async def send_calls(self) -> None:
        rng, poster = random.Random(self.seed), Poster(self.port)
        open_calls: dict[str, int] = {}
        count, due = 0, time.monotonic()
        while not self.ending:
            await asyncio.sleep(due - time.monotonic())
            due += 1 / CALLS_A_SECOND
            count += 1
            call = self.next_call(rng, open_calls, count)
            body = {"calls": [self.call_json(call, rng)]}
            await poster.until_acknowledged("north-cad", self.keys["north-cad"], body)
            self.ledger.calls.append(call)
        poster.close()

    def next_call(self, rng: random.Random, open_calls: dict[str, int], count: int) -> AckedCall:
        """Open a call, or change or close one that is open."""
        number, state = f"{self.ledger.prefix}H-{count}", "waiting"
        if open_calls and rng.random() < 0.6:
            number = rng.choice(sorted(open_calls))
            state = rng.choice(["active", "active", "closed"])
        sequence = open_calls.get(number, 0) + 1
        if state == "closed":
            del open_calls[number]
        else:
            open_calls[number] = sequence
        return AckedCall(number, sequence, state, f"statement {count}")

    def call_json(self, call: AckedCall, rng: random.Random) -> dict[str, Any]:
        lon, lat = (axis + rng.uniform(-REACH_DEG, REACH_DEG) for axis in CENTER)
        return {
            "number": call.number, "sequence": call.sequence, "time": self.now_us() / 1e6, "state": call.state, "type": "Alarm",
            "priority": "2", "lon": lon, "lat": lat, "narrative": call.narrative, "units": ["4A12"],
        }  # fmt: skip
