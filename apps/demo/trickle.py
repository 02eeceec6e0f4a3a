"""Calls for service in the simulated town: a new one now and then, at an address, for so many units."""

from typing import NamedTuple

import msgspec

from apps.demo.roads import Block, Roads
from apps.demo.vehicles import Moment


class Kind(NamedTuple):
    type: str
    priority: str
    units: int
    scene_s: int
    narrative: str


KINDS = (
    Kind("Disturbance", "2", 2, 300, "Caller hears shouting next door"),
    Kind("Crash, no injuries", "3", 1, 420, "Two vehicles, blocking one lane"),
    Kind("Crash, injuries", "1", 3, 480, "Airbag deployed, one person complains of neck pain"),
    Kind("Burglary alarm", "3", 1, 240, "Rear door, keyholder notified"),
    Kind("Welfare check", "3", 1, 300, "Not seen since yesterday"),
    Kind("Robbery just occurred", "1", 4, 540, "Left on foot, direction unknown"),
    Kind("Theft report", "4", 1, 360, "Bicycle taken from a porch"),
    Kind("Suspicious vehicle", "3", 1, 180, "Parked with lights off"),
    Kind("Traffic hazard", "3", 1, 240, "Mattress in the roadway"),
    Kind("Shots heard", "1", 3, 420, "Several callers"),
    Kind("Noise", "4", 1, 150, "Loud music"),
    Kind("Missing child", "1", 3, 600, "Last seen near the playground"),
)


class SimulatedCall(msgspec.Struct):
    """A call of the simulation. Until `located_us` its place is not known to the dispatch system."""

    number: str
    kind: int
    x: float
    y: float
    crossing: int
    address: str
    cross_streets: str
    opened_us: int
    located_us: int
    units: list[str] = []
    state: str = "waiting"
    told_place: bool = False

    def facts(self) -> Kind:
        return KINDS[self.kind]


def seconds_to_next(moment: Moment, open_calls: int) -> float:
    """A call every 40 s or so; faster while the board is nearly empty."""
    return float(moment.rng.uniform(3, 8)) if open_calls < 5 else float(moment.rng.uniform(28, 58))


def house_number(block: Block, along_m: float) -> int:
    """Number houses by the distance from the town's middle, even on one side."""
    x, y, _ = block.place(along_m)
    return 100 + 2 * int((abs(x) + abs(y)) / 6)


def call_at_random(roads: Roads, moment: Moment, number: str) -> SimulatedCall:
    """Make a call at some house. One in fourteen starts without a usable place; it is found after 1.5 to 4 minutes."""
    crossing = int(moment.rng.integers(len(roads.crossings)))
    block = roads.leaving[crossing][int(moment.rng.integers(len(roads.leaving[crossing])))]
    along = float(moment.rng.uniform(0.15, 0.85)) * block.length_m
    x, y, _ = block.place(along)
    found = moment.after(90, 240) if moment.rng.random() < 1 / 14 else moment.at_us
    return SimulatedCall(
        number=number,
        kind=int(moment.rng.integers(len(KINDS))),
        x=x,
        y=y,
        crossing=crossing if along < block.length_m / 2 else block.end,
        address=f"{house_number(block, along)} {block.name}",
        cross_streets=" / ".join(sorted({out.name for out in roads.leaving[block.end]} - {block.name})),
        opened_us=moment.at_us,
        located_us=found,
    )
