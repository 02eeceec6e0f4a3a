"""The simulated patrol: about three dozen units and a trickle of calls. `advance` takes one step and returns what to send.

It is deterministic: the same state, times and seed give the same town. The state is plain data and survives a restart.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
import numpy as np
import shapely

from apps.demo import town, vehicles
from apps.demo.roads import Roads, lng_lat, network
from apps.demo.trickle import SimulatedCall, call_at_random, seconds_to_next
from apps.demo.vehicles import AVAILABLE, DISPATCHED, EN_ROUTE, ON_SCENE, Moment, Vehicle
from apps.geo.clock import microseconds, moment

CARS_PER_DISTRICT = 7
LONGEST_STEP_S = 5.0
MOST_OPEN_CALLS = 18
Body = dict[str, Any]


class Patrol(msgspec.Struct):
    """The whole state. `steps` counts steps, which seed the random numbers; `changed` are calls not told yet."""

    at_us: int
    vehicles: list[Vehicle]
    calls: list[SimulatedCall] = []
    next_call_us: int = 0
    next_silence_us: int = 0
    steps: int = 0
    changed: list[str] = []


@cache
def crossings_of_beats() -> dict[str, np.ndarray]:
    points = shapely.points(network().crossings)
    return {beat.name: np.flatnonzero(shapely.covers(beat.polygon, points)) for beat in town.beats()}


def crew() -> Iterable[tuple[str, str, str]]:
    """Yield call sign, kind and beat of every unit."""
    for district in range(1, 5):
        for car in range(CARS_PER_DISTRICT):
            yield f"{district}A{11 + car}", "car", f"{district}{car % 4 + 1}"
        yield f"{district}F{district}1", "foot", f"{district}{5 - district}"
    for cycle in range(3):
        yield f"9M{cycle + 1}", "motorcycle", f"{cycle + 1}2"
    yield "AIR1", "helicopter", "11"


def start(at: datetime, seed: int = town.SEED) -> Patrol:
    roads, rng = network(), np.random.default_rng(seed)
    units = []
    for number, (call_sign, kind, beat) in enumerate(crew()):
        crossing = int(rng.choice(crossings_of_beats()[beat]))
        x, y = roads.crossings[crossing]
        units.append(Vehicle(f"avl-{number + 101}", call_sign, kind, beat, crossing, float(x), float(y)))
    at_us = microseconds(at)
    return Patrol(at_us=at_us, vehicles=units, next_call_us=at_us, next_silence_us=at_us + 45_000_000)


def advance(patrol: Patrol, *, at: datetime, seed: int = town.SEED) -> tuple[list[Body], list[Body]]:
    """Take one step to `at` (in place). Return the fixes and the calls to send; every unit reports each second step."""
    now = microseconds(at)
    seconds = min(max(now - patrol.at_us, 0) / 1e6, LONGEST_STEP_S)
    step = Moment(now, seconds, np.random.default_rng([seed, patrol.steps]))
    patrol.at_us, patrol.steps = now, patrol.steps + 1
    trickle(patrol, step)
    dispatch(patrol, step)
    for vehicle in patrol.vehicles:
        act(patrol, vehicle, step)
    close(patrol, step)
    silence(patrol, step)
    return fixes(patrol, step), reports(patrol)


def trickle(patrol: Patrol, step: Moment) -> None:
    """Open a new call when it is time."""
    if step.at_us < patrol.next_call_us or len(patrol.calls) >= MOST_OPEN_CALLS:
        return
    call = call_at_random(network(), step, f"{moment(step.at_us):%y%m%d-%H%M%S}")
    if all(other.number != call.number for other in patrol.calls):
        patrol.calls.append(call)
        patrol.changed.append(call.number)
    patrol.next_call_us = step.at_us + int(seconds_to_next(step, len(patrol.calls)) * 1e6)


def dispatch(patrol: Patrol, step: Moment) -> None:
    """Give each located call that waits its nearest available cars, the most urgent first."""
    for call in sorted(patrol.calls, key=lambda call: (call.facts().priority, call.opened_us)):
        if call.located_us <= step.at_us and not call.told_place:
            call.told_place = True
            patrol.changed.append(call.number)
        if call.told_place and call.state == "waiting" and step.at_us - call.opened_us > 4_000_000:
            assign(patrol, call, step)


def assign(patrol: Patrol, call: SimulatedCall, step: Moment) -> None:
    free = [
        one
        for one in patrol.vehicles
        if one.status == AVAILABLE and one.kind in ("car", "motorcycle") and one.silent_until_us <= step.at_us
    ]
    free.sort(key=lambda one: (one.x - call.x) ** 2 + (one.y - call.y) ** 2)
    if not free:
        return
    for vehicle in free[: call.facts().units]:
        vehicle.status, vehicle.call, vehicle.wait_until_us = DISPATCHED, call.number, step.after(4, 12)
        call.units = [*call.units, vehicle.call_sign]
    call.state = "active"
    patrol.changed.append(call.number)


def act(patrol: Patrol, vehicle: Vehicle, step: Moment) -> None:
    """Let one unit do the next thing: fly, drive, arrive, clear."""
    call = next((call for call in patrol.calls if call.number == vehicle.call), None)
    if vehicle.kind == "helicopter":
        return vehicles.fly(vehicle, step, center_of_attention(patrol))
    if vehicle.status == AVAILABLE:
        vehicles.wander(vehicle, network(), step, crossings_of_beats()[vehicle.beat])
    elif call is None:
        vehicle.status, vehicle.call = AVAILABLE, None
    else:
        respond(vehicle, call, step, network())
    vehicles.move(vehicle, network(), step)


def respond(vehicle: Vehicle, call: SimulatedCall, step: Moment, roads: Roads) -> None:
    if vehicle.status == EN_ROUTE and not vehicle.way:
        vehicle.status, vehicle.wait_until_us = ON_SCENE, step.after(0.5 * call.facts().scene_s, 1.2 * call.facts().scene_s)
    if step.at_us < vehicle.wait_until_us:
        return
    if vehicle.status == DISPATCHED:
        vehicle.status = EN_ROUTE
        vehicles.send_to(vehicle, call.crossing, roads)
    elif vehicle.status == ON_SCENE:
        vehicle.status, vehicle.call = AVAILABLE, None


def center_of_attention(patrol: Patrol) -> tuple[float, float]:
    """The helicopter circles the oldest urgent call, else the middle of town."""
    urgent = [call for call in patrol.calls if call.facts().priority == "1" and call.told_place]
    return (urgent[0].x, urgent[0].y) if urgent else (0.0, 0.0)


def close(patrol: Patrol, step: Moment) -> None:
    """Close an active call once all its units have cleared."""
    busy = {vehicle.call for vehicle in patrol.vehicles}
    for call in patrol.calls:
        if call.state == "active" and call.number not in busy:
            call.state = "closed"
            patrol.changed.append(call.number)


def silence(patrol: Patrol, step: Moment) -> None:
    """Now and then a radio goes silent for a while, so that late and hollow symbols are seen."""
    if step.at_us >= patrol.next_silence_us:
        chosen = patrol.vehicles[int(step.rng.integers(len(patrol.vehicles)))]
        chosen.silent_until_us = step.after(15, 120)
        patrol.next_silence_us = step.after(60, 150)


def fixes(patrol: Patrol, step: Moment) -> list[Body]:
    """Half of the units report at each step, the other half at the next."""
    due = [one for number, one in enumerate(patrol.vehicles) if (number + patrol.steps) % 2 == 0 and one.silent_until_us <= step.at_us]
    return [fix(vehicle, step) for vehicle in due]


def fix(vehicle: Vehicle, step: Moment) -> Body:
    scatter = step.rng.normal(0, 1.0, 2) if vehicle.speed_mps > 0 else (0.0, 0.0)
    lon, lat = lng_lat(vehicle.x + scatter[0], vehicle.y + scatter[1])
    body = {"id": vehicle.id, "time": step.at_us / 1e6, "lon": lon, "lat": lat, "speed_mps": round(vehicle.speed_mps, 1)}
    body |= {"heading_deg": round(vehicle.heading_deg, 1), "accuracy_m": 4, "call_sign": vehicle.call_sign, "kind": vehicle.kind}
    if vehicle.kind == "helicopter":
        body["altitude_m"] = 305
    return body | {"status": vehicle.status, "name": f"{vehicle.kind.capitalize()} {vehicle.id[4:]}"}


def reports(patrol: Patrol) -> list[Body]:
    """Return each changed call as it is now, and forget those that are closed."""
    told = [report(call, patrol.at_us) for call in patrol.calls if call.number in patrol.changed]
    patrol.changed = []
    patrol.calls = [call for call in patrol.calls if call.state != "closed"]
    return told


def report(call: SimulatedCall, at_us: int) -> Body:
    kind = call.facts()
    body: Body = {
        "number": call.number,
        "time": moment(at_us).isoformat(),
        "state": call.state,
        "type": kind.type,
        "priority": kind.priority,
    }
    body |= {"address": call.address, "cross_streets": call.cross_streets, "units": call.units, "narrative": kind.narrative}
    body |= {"opened_at": moment(call.opened_us).isoformat(), "uncertainty_m": 25}
    if call.told_place:
        body["lon"], body["lat"] = lng_lat(call.x, call.y)
    return body
