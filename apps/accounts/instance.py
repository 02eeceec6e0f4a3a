"""This instance: what it is for, and its clock."""

from dataclasses import dataclass

from django.db import connection

from apps.accounts.models import InstanceKind, Origin
from apps.geo.clock import Clock

ORIGINS = {
    InstanceKind.OPERATIONAL.value: frozenset({Origin.LIVE.value, Origin.EXERCISE.value}),
    InstanceKind.DEMO.value: frozenset({Origin.SIMULATED.value, Origin.REPLAYED.value}),
}
READ = "SELECT kind, clock_t0, clock_real0, clock_speed, generation FROM accounts_instance WHERE id = 1"


class NoInstance(Exception):
    """The database has no instance row yet: run `manage.py bootstrap`."""


@dataclass(frozen=True)
class InstanceState:
    kind: str
    clock: Clock
    generation: int

    @property
    def origins(self) -> frozenset[str]:
        """The origins that this database may hold."""
        return ORIGINS[self.kind]


def state_of(row: tuple[object, ...]) -> InstanceState:
    """Build the state from a row of READ."""
    kind, t0, real0, speed, generation = row
    clock = Clock(t0, real0, speed) if t0 else Clock.real()  # type: ignore[arg-type]
    return InstanceState(str(kind), clock, int(generation))  # type: ignore[call-overload]


def read_instance() -> InstanceState:
    """Raises NoInstance."""
    with connection.cursor() as cursor:
        cursor.execute(READ)
        row = cursor.fetchone()
    if row is None:
        raise NoInstance("this database is not set up; run ./rtcc up")
    return state_of(row)
