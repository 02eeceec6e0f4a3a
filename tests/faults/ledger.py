"""What was acknowledged, with its content, in the order in which it was acknowledged."""

import time
from dataclasses import dataclass, field
from typing import NamedTuple


class AckedFix(NamedTuple):
    agency: str
    identity: str
    observed_us: int
    lon: float
    lat: float
    speed_mps: float


class AckedCall(NamedTuple):
    number: str
    sequence: int
    state: str
    narrative: str


@dataclass
class Ledger:
    """`prefix` begins every identity and number of one scenario, so that scenarios do not meet in one database.
    `acknowledged`: after each answer the seconds since 1970 and how many fixes had been acknowledged by then."""

    prefix: str
    fixes: list[AckedFix] = field(default_factory=list)
    calls: list[AckedCall] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    repeats: int = 0
    acknowledged: list[tuple[float, int]] = field(default_factory=list)

    def note(self, fixes: list[AckedFix]) -> None:
        self.fixes += fixes
        self.acknowledged.append((time.time(), len(self.fixes)))

    def by_track(self) -> dict[str, list[AckedFix]]:
        tracks: dict[str, list[AckedFix]] = {}
        for fix in self.fixes:
            tracks.setdefault(fix.identity, []).append(fix)
        return tracks
