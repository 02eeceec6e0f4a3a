"""What runs, as told by the processes themselves. It holds no place and nobody's name, so there is no viewer."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

SILENT_AFTER_S = 15.0
TOLD = """
    SELECT kind, host, pid, started_at, extract(epoch FROM clock_timestamp() - told_at)::float8,
        extract(epoch FROM told_at - turned_at)::float8, counts
    FROM processes_process ORDER BY kind, host
"""


@dataclass(frozen=True)
class Running:
    """One process. `told_s`: how long ago it told; `turned_s`: how long before that its work had gone round (None: nothing does)."""

    kind: str
    host: str
    pid: int
    started_at: datetime
    told_s: float
    turned_s: float | None
    counts: dict[str, float]

    @property
    def is_silent(self) -> bool:
        return self.told_s > SILENT_AFTER_S

    @property
    def hangs(self) -> bool:
        """It tells, but its work does not go round."""
        return not self.is_silent and self.turned_s is not None and self.turned_s > SILENT_AFTER_S


def running() -> list[Running]:
    """Return the processes that told of themselves within a day, also those that are silent now."""
    with connection.cursor() as cursor:
        cursor.execute(TOLD)
        rows = cursor.fetchall()
    return [Running(kind, host, pid, since, told_s, turned_s, as_counts(told)) for kind, host, pid, since, told_s, turned_s, told in rows]


def as_counts(value: object) -> dict[str, float]:
    """Return the counts of a row, however the driver hands JSON over."""
    found = json.loads(value) if isinstance(value, str | bytes) else value
    return {str(name): float(one) for name, one in found.items()} if isinstance(found, dict) else {}
