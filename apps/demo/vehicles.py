"""What moves in the simulated town: patrol cars, officers on foot, a helicopter. Deterministic for a given generator."""

import math
from dataclasses import dataclass

import msgspec
import numpy as np

from apps.demo.roads import Block, Roads

AVAILABLE, DISPATCHED, EN_ROUTE, ON_SCENE, BUSY = "AVL", "DSP", "ENR", "ONS", "BSY"
ACCELERATION_MPS2 = 2.5
HURRY = 1.35
WALK_MPS, FLY_MPS = 1.4, 42.0
ORBIT_M = 450.0


class Vehicle(msgspec.Struct):
    """A unit with its place on the plane (meters). `way` is what it has yet to drive: (crossing, which block leaving it)."""

    id: str
    call_sign: str
    kind: str
    beat: str
    crossing: int
    x: float
    y: float
    heading_deg: float = 0.0
    speed_mps: float = 0.0
    along_m: float = 0.0
    way: list[tuple[int, int]] = []
    status: str = AVAILABLE
    call: str | None = None
    wait_until_us: int = 0
    silent_until_us: int = 0


@dataclass(frozen=True)
class Moment:
    """One step of the simulation: its time, its length, and the random numbers to use."""

    at_us: int
    seconds: float
    rng: np.random.Generator

    def after(self, low_s: float, high_s: float) -> int:
        """Return a moment (microseconds) drawn evenly between so many seconds from now."""
        return self.at_us + int(self.rng.uniform(low_s, high_s) * 1e6)


def send_to(vehicle: Vehicle, crossing: int, roads: Roads) -> None:
    """Plan the way to a crossing; a vehicle in the middle of a block finishes that block first."""
    first = vehicle.way[:1] if vehicle.along_m > 0 else []
    start = roads.leaving[first[0][0]][first[0][1]].end if first else vehicle.crossing
    vehicle.way = first + [(block.start, roads.leaving[block.start].index(block)) for block in roads.way(start, crossing)]


def block_ahead(vehicle: Vehicle, roads: Roads) -> Block:
    crossing, which = vehicle.way[0]
    return roads.leaving[crossing][which]


def move(vehicle: Vehicle, roads: Roads, moment: Moment) -> None:
    """Drive or walk on along the way for one step; stop now and then at a crossing when not in a hurry."""
    if moment.at_us < vehicle.wait_until_us or not vehicle.way:
        vehicle.speed_mps = 0.0
        return
    vehicle.speed_mps = min(wanted_speed(vehicle, roads), vehicle.speed_mps + ACCELERATION_MPS2 * moment.seconds)
    left_m = vehicle.speed_mps * moment.seconds
    while left_m > 0 and vehicle.way:
        left_m = roll(vehicle, roads, left_m)
        if left_m > 0 and vehicle.status != EN_ROUTE and moment.rng.random() < 0.18:
            vehicle.wait_until_us = moment.after(3, 12)
            break


def wanted_speed(vehicle: Vehicle, roads: Roads) -> float:
    if vehicle.kind == "foot":
        return WALK_MPS
    return block_ahead(vehicle, roads).speed_mps * (HURRY if vehicle.status == EN_ROUTE else 0.9)


def roll(vehicle: Vehicle, roads: Roads, meters: float) -> float:
    """Go on within the block ahead; return the meters left over when its end is reached."""
    block = block_ahead(vehicle, roads)
    along = min(vehicle.along_m + meters, block.length_m)
    over = vehicle.along_m + meters - along
    vehicle.x, vehicle.y, vehicle.heading_deg = block.place(along)
    vehicle.along_m = along
    if along >= block.length_m:
        vehicle.way, vehicle.along_m, vehicle.crossing = vehicle.way[1:], 0.0, block.end
    return over


def wander(vehicle: Vehicle, roads: Roads, moment: Moment, targets: np.ndarray) -> None:
    """Choose somewhere else in the beat (crossings in `targets`) once the last way is done."""
    if vehicle.way or moment.at_us < vehicle.wait_until_us:
        return
    if vehicle.kind == "foot":
        near = np.hypot(*(roads.crossings[targets] - (vehicle.x, vehicle.y)).T) < 500
        targets = targets[near] if near.any() else targets
    vehicle.wait_until_us = moment.after(5, 40)
    send_to(vehicle, int(moment.rng.choice(targets)), roads)


def fly(vehicle: Vehicle, moment: Moment, center: tuple[float, float]) -> None:
    """Circle around a place clockwise, or go there first; never faster than FLY_MPS."""
    angle = math.atan2(vehicle.y - center[1], vehicle.x - center[0]) - FLY_MPS * moment.seconds / ORBIT_M
    dx = center[0] + ORBIT_M * math.cos(angle) - vehicle.x
    dy = center[1] + ORBIT_M * math.sin(angle) - vehicle.y
    share = min(1.0, FLY_MPS * moment.seconds / max(math.hypot(dx, dy), 1e-9))
    vehicle.x, vehicle.y = vehicle.x + dx * share, vehicle.y + dy * share
    vehicle.heading_deg = math.degrees(math.atan2(dx, dy)) % 360
    vehicle.speed_mps = math.hypot(dx, dy) * share / max(moment.seconds, 1e-9)
