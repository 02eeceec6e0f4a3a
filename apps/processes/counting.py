"""What a process has counted since it started: sums, readings and how long things took. Told by `reporting`, in memory until then."""

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counts:
    """Names are those of the metrics without their unit's `_total`; a label follows in brackets: `door_answers[202]`."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = defaultdict(float)
        self.readings: dict[str, Callable[[], float]] = {}
        self.turned: float | None = None

    def add(self, name: str, amount: float = 1) -> None:
        self.sums[name] += amount

    def took(self, name: str, seconds: float) -> None:
        """Count a duration in its bucket: `name[le 0.1]` holds those between the bound before and 0.1 s."""
        place = bisect_left(BOUNDS_S, seconds)
        bound = f"{BOUNDS_S[place]:g}" if place < len(BOUNDS_S) else "+Inf"
        self.sums[f"{name}[le {bound}]"] += 1
        self.sums[f"{name}[sum]"] += seconds

    def read(self, name: str, reading: Callable[[], float]) -> None:
        """Have a value read whenever the process tells of itself."""
        self.readings[name] = reading

    def turn(self) -> None:
        """Say that the process's own work went round once more: a process that only looks alive is worse than one that is gone."""
        self.turned = time.monotonic()

    def values(self) -> dict[str, float]:
        """Return all of it; the dictionary is the caller's. Another thread may count meanwhile."""
        return {**self.sums.copy(), **{name: float(reading()) for name, reading in self.readings.copy().items()}}


counts = Counts()
"""This process's own."""
