"""Run the simulated patrol: step by the instance's clock, send, remember; pause while recorded data is replayed."""

import logging
import signal
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
from django.conf import settings
from django.db import OperationalError

from apps.accounts.instance import InstanceState, read_instance
from apps.accounts.models import Origin
from apps.demo import patrol
from apps.demo.front_door import Door, Poster, Refused
from apps.demo.keys import door_of
from apps.demo.patrol import Patrol
from apps.demo.stage import check_demonstration
from apps.incidents.models import Call, CallState
from apps.ingest.models import Source

STEP_S = 1.0
REFUSED_PAUSE_S = 5.0
VEHICLES, DISPATCH = "patrol", "dispatch"
log = logging.getLogger(__name__)


class Memory(msgspec.Struct):
    """What survives a restart: the town, and the generation of the history that has heard of its calls."""

    generation: int
    patrol: Patrol


def recall(path: Path, at: datetime) -> Memory:
    """Return the remembered town, or a new one."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Memory)
    except FileNotFoundError:
        return Memory(0, patrol.start(at))
    except msgspec.DecodeError as error:
        log.warning("the remembered patrol is unreadable (%s); it starts afresh", error)
        return Memory(0, patrol.start(at))


def remember(path: Path, memory: Memory) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(memory))
    part.replace(path)


def instance_now() -> InstanceState | None:
    """Return the instance; None while the patrol must pause: its source is switched off (a replay does that), or PostgreSQL
    is away."""
    try:
        is_on = Source.objects.filter(slug=VEHICLES, enabled=True).exists()
        return read_instance() if is_on else None
    except OperationalError as error:
        log.warning("PostgreSQL is away: %s", error)
        return None


def step(memory: Memory, instance: InstanceState, poster: Poster, doors: tuple[Door, Door]) -> None:
    """Take one step and send it. After history was replaced, or a call was rejected, every open call is told anew."""
    if memory.generation != instance.generation:
        memory.generation = instance.generation
        memory.patrol.changed = [call.number for call in memory.patrol.calls]
    fixes, calls = patrol.advance(memory.patrol, at=instance.clock.now())
    poster.post(doors[0], {"fixes": fixes})
    rejected = poster.post(doors[1], {"calls": calls}).rejected if calls else []
    if rejected:
        log.warning("the front door rejected %d of %d calls (%s); they are told anew", len(rejected), len(calls), rejected[0].reason)
        memory.generation = 0


def close_forgotten(memory: Memory, at: datetime, poster: Poster, door: Door) -> None:
    """Close calls of an earlier run that this one does not remember; they would stay open for good."""
    known = {call.number for call in memory.patrol.calls}
    source = Source.objects.get(slug=DISPATCH)
    still_open = Call.objects.filter(source_id=source.pk).exclude(state=CallState.CLOSED).values_list("number", flat=True)
    ended = [{"number": number, "time": at.isoformat(), "state": "closed"} for number in still_open if number not in known]
    if ended:
        poster.post(door, {"calls": ended})


def drive(*, say: Callable[[str], object], steps: int | None = None) -> None:
    """Drive until SIGTERM, or for so many steps. Raises stage.NotADemonstration, keys.NoKey."""
    signal.signal(signal.SIGTERM, lambda *_: exit(0))
    check_demonstration()
    doors = door_of(VEHICLES, Origin.SIMULATED), door_of(DISPATCH, Origin.SIMULATED)
    path = Path(settings.STATE_FOLDER) / "patrol.json"
    memory, poster = recall(path, read_instance().clock.now()), Poster()
    say(f"patrol: {len(memory.patrol.vehicles)} units on the road")
    has_looked_back = False
    while steps is None or steps > 0:
        begun = time.monotonic()
        instance = instance_now()
        if instance is not None:
            has_looked_back = _step_unless_refused(memory, instance, poster, doors, has_looked_back)
            remember(path, memory)
        steps = steps - 1 if steps is not None else None
        time.sleep(max(0.0, STEP_S - (time.monotonic() - begun)))


def _step_unless_refused(memory: Memory, instance: InstanceState, poster: Poster, doors: tuple[Door, Door], has_looked_back: bool) -> bool:
    """A refusal (a revoked key) does not end the patrol: it says so, and later tells every call anew. That its source is switched
    off, though it is on by now, is what a front door says that has not heard yet: it will within a second."""
    try:
        if not has_looked_back:
            close_forgotten(memory, instance.clock.now(), poster, doors[1])
        step(memory, instance, poster, doors)
    except Refused as error:
        memory.generation = 0
        if error.word != "switched_off":
            log.error("the front door refused the patrol: %s", error)
            time.sleep(REFUSED_PAUSE_S)
        return has_looked_back
    return True
