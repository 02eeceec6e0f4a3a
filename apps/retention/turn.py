"""One turn: end holds whose time is over, then remove what is older than its rule, a bit of each class in turn until all is done
or the time is up. One process at a time; it needs no Redis."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import DatabaseError, connection

from apps.accounts.models import Agency
from apps.retention import operations, watermarks
from apps.retention.definition import DataClass, Limit
from apps.retention.models import Turn
from apps.retention.registry import classes
from apps.retention.removal import CannotRemove, remove_some
from apps.retention.rules import Rules, rules_at
from apps.retention.watermarks import Watermarks

log = logging.getLogger(__name__)
BUDGET_S = 12.0
FORGET_S = 4.0
MOST = 5_000
"""Things in one transaction: a tenth of a second's work, so that nobody waits for it."""
LOCK = "SELECT pg_backend_pid() WHERE pg_try_advisory_lock(hashtext('rtcc retention'))"
UNLOCK = "SELECT pg_advisory_unlock(hashtext('rtcc retention'))"


@dataclass
class Done:
    """What a turn did. `reached`: classes of which nothing older than its rule was left. `failed`: those that could not be looked at,
    and why. `forgotten`: no copy of a released hold was left."""

    removed: dict[str, int] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    forgotten: bool = False

    @property
    def finished(self) -> bool:
        return self.forgotten and self.reached == classes().keys()

    @property
    def is_stuck(self) -> bool:
        """Whether only classes that failed are left: a turn that follows at once would do the same again."""
        return self.forgotten and bool(self.failed) and self.reached | self.failed.keys() == classes().keys()

    @property
    def count(self) -> int:
        return sum(self.removed.values())


class LockLost(Exception):
    """The connection ended and with it the lock: another process may be at it now."""


@contextmanager
def alone() -> Iterator[int | None]:
    """Yield the backend that holds the lock, None when another has it. It is held until the block or the connection ends."""
    backend = _backend(LOCK)
    try:
        yield backend
    finally:
        if backend is not None and backend == _backend():
            _backend(UNLOCK)


def _backend(statement: str = "SELECT pg_backend_pid()") -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return int(row[0]) if row else None


def take_turn(*, at: datetime, real: datetime, process: str, budget_s: float = BUDGET_S, after_restore: bool = False) -> Done | None:
    """Remove what is older than its rule at an instance time (`real`: the real time, for what ages by that). None: another process
    does. `after_restore`: also what the file of watermarks says was gone. Raises NoInstance, watermarks.Unreadable, LockLost."""
    began = time.monotonic()
    with alone() as backend:
        if backend is None:
            return None
        operations.give_default_rules(at=at, real=real)
        marks = watermarks.read()
        if after_restore:
            operations.release_again(marks.released, at=at)
        operations.end_holds(at=at)
        done, work = Done(), Work.plan(at, real, marks if after_restore else None, backend)
        remove_all(work, done, until=began + budget_s)
        done.forgotten = forget_released(until=time.monotonic() + FORGET_S)
        keep_marks(work, done, marks, at)
        note(done, began, at=at, process=process)
    return done


@dataclass
class Work:
    """For each class its limits and the time at which they were drawn."""

    limits: dict[str, list[Limit]]
    at: dict[str, datetime]
    slugs: dict[int | None, str]
    backend: int | None = None

    @classmethod
    def plan(cls, at: datetime, real: datetime, marks: Watermarks | None, backend: int | None = None) -> "Work":
        slugs: dict[int | None, str] = {None: "", **dict(Agency.objects.order_by("pk").values_list("pk", "slug"))}
        ids = [id for id in slugs if id is not None]
        times = {name: real if one.clock == "real" else at for name, one in classes().items()}
        work = cls({}, times, slugs, backend)
        for name, one in classes().items():
            work.limits[name] = work._limits(one, rules_at(at), ids, marks)
        return work

    def _limits(self, data_class: DataClass, rules: Rules, ids: Sequence[int], marks: Watermarks | None) -> list[Limit]:
        limits = rules.limits(data_class, ids, self.at[data_class.name])
        if marks is None:
            return limits
        gone = [marks.purged.get((data_class.name, self.slugs[agency]), before) for agency, before in limits]
        return [Limit(agency, max(before, mark)) for (agency, before), mark in zip(limits, gone, strict=True)]


def forget_released(*, until: float) -> bool:
    """Remove copies of released holds, whatever became of the classes; return whether none is left."""
    while operations.forget_released():
        if time.monotonic() > until:
            return False
    return True


def remove_all(work: Work, done: Done, *, until: float) -> None:
    """Remove in turns until all is done or the time is up. What follows from another class (a stay from a place) is looked at until
    that is done. A class that fails is left for the next turn, and takes no time from the others."""
    waiting = dict(classes())
    while waiting:
        for name, one in list(waiting.items()):
            if time.monotonic() > until:
                return
            inner, began = waiting.keys() & {*one.limited_by, *one.after}, time.monotonic()
            more = _remove(one, work, done)
            if name in done.failed:
                del waiting[name]
                until += time.monotonic() - began
            elif not more and not inner:
                del waiting[name]
                done.reached.add(name)


def _remove(one: DataClass, work: Work, done: Done) -> bool:
    """Return whether there may be more. What is refused now (a lock, a reader) is tried again in the next turn."""
    try:
        removed = remove_some(one, work.limits[one.name], work.at[one.name], MOST)
    except (DatabaseError, OSError, CannotRemove) as error:
        if _backend() != work.backend:
            raise LockLost(f"{one.name}: {str(error).strip()}") from error
        log.warning("%s: not removed in this turn: %s", one.name, str(error).strip())
        done.failed[one.name] = str(error).strip()
        return False
    if removed.count:
        done.removed[one.name] = done.removed.get(one.name, 0) + removed.count
    return removed.more


def keep_marks(work: Work, done: Done, marks: Watermarks, at: datetime) -> None:
    """Write down how far each class is gone, and which holds. A class that failed or is not done keeps its mark of before."""
    released = operations.released_holds()
    if not done.reached and released.keys() <= marks.released.keys():
        return
    for name in done.reached:
        for agency, before in work.limits[name]:
            marks.reach((name, work.slugs[agency]), before)
    marks.released |= released
    marks.write(at)


def note(done: Done, began: float, *, at: datetime, process: str) -> None:
    ended = datetime.now(UTC)
    facts = {
        "began_at": datetime.fromtimestamp(ended.timestamp() - (time.monotonic() - began), UTC), "ended_at": ended,
        "instance_at": at, "removed": done.count, "finished": done.finished, "process": process,
    }  # fmt: skip
    Turn.objects.update_or_create(id=1, defaults=facts | ({"finished_at": ended} if done.finished else {}))
    if done.count:
        log.info("removed by age: %s", ", ".join(f"{count} {name}" for name, count in done.removed.items()))
