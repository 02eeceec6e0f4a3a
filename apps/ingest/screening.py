"""What is believed of a post's observations: time and place. Pure: the time is given."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from apps.incidents.observations import BoardPoll, CallReport
from apps.ingest.adapters.contract import Item, Rejected
from apps.ingest.clock_error import TOLERANCE_US, ClockErrors
from apps.tracks.observations import Fix

ZERO_ISLAND_DEG = 1e-4
Area = Callable[[float, float], bool]
NO_BOX = (math.inf, math.inf, -math.inf, -math.inf)


@dataclass(frozen=True)
class Bounds:
    """An agency's area: its bounding box (west, south, east, north) and the exact test."""

    box: tuple[float, float, float, float] = NO_BOX
    contains: Area = field(default=lambda lon, lat: False)

    def looks_swapped(self, lon: float, lat: float) -> bool:
        """Whether the point lies outside the area and its mirror inside."""
        west, south, east, north = self.box
        return west <= lat <= east and south <= lon <= north and self.contains(lat, lon) and not self.contains(lon, lat)


NOWHERE = Bounds()


@dataclass(frozen=True)
class Screen:
    """The rules of one source at one moment."""

    received_us: int
    oldest_us: int
    bounds: Bounds
    errors: ClockErrors


def misplaced(lon: float, lat: float, bounds: Bounds) -> tuple[str, str] | None:
    """Return why a place is not usable: the reason's word and a sentence."""
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return "not_a_number", "lon or lat is not a number"
    if abs(lon) < ZERO_ISLAND_DEG and abs(lat) < ZERO_ISLAND_DEG:
        return "zero_island", "lon and lat are 0: the receiver had no fix"
    if bounds.looks_swapped(lon, lat):
        return "swapped_axes", "outside the agency's area, and inside it with lon and lat exchanged"
    if abs(lat) > 90 or abs(lon) > 180:
        return "out_of_range", f"lon {lon}, lat {lat} is not on Earth"
    return None


def judge_fix(fix: Fix, screen: Screen) -> Fix | Rejected:
    """Return the fix, corrected if its device's clock is steadily wrong, or why it is not taken."""
    wrong = misplaced(fix.lon, fix.lat, screen.bounds)
    if wrong:
        return Rejected(*wrong)
    error_us = screen.errors.correction_us(fix.identity, fix.observed_us, received_us=screen.received_us)
    if error_us:
        return msgspec.structs.replace(fix, observed_us=fix.observed_us + error_us, clock_offset_ms=round(error_us / 1000))
    return untimely(fix.observed_us, screen) or fix


def untimely(observed_us: int, screen: Screen) -> Rejected | None:
    ahead_us = observed_us - screen.received_us
    if ahead_us > TOLERANCE_US:
        return Rejected("future", f"{ahead_us / 1e6:.1f} s ahead of the server's clock", quarantined=True)
    if observed_us < screen.oldest_us:
        return Rejected("too_old", "older than positions are kept")
    return None


def judge_board(report: CallReport | BoardPoll, screen: Screen) -> CallReport | BoardPoll | Rejected:
    """Calls are never dropped for their place nor for their age (what closes an open call is taken however old it is, and the call
    then goes by its rule); a time that has not come is quarantined."""
    return untimely(report.observed_us, dataclasses.replace(screen, oldest_us=0)) or report


def unlocate(call: CallReport, screen: Screen) -> tuple[CallReport, str | None]:
    """Return the call without its place when that is not usable, and the sentence that says why."""
    if call.lon is None and call.lat is None:
        return call, None
    lon, lat = (math.nan if degree is None else degree for degree in (call.lon, call.lat))
    wrong = misplaced(lon, lat, screen.bounds)
    if wrong is None:
        return call, None
    return msgspec.structs.replace(call, lon=None, lat=None), f"unlocated: {wrong[1]}"


def judged(items: Sequence[Item], screen: Screen, notes: dict[int, str]) -> list[Item]:
    """Return the items with fixes and calls judged; sentences about unlocated calls go to `notes` by place in the post."""
    near, far = screen.received_us - TOLERANCE_US, screen.received_us + TOLERANCE_US
    west, south, east, north = screen.bounds.box
    wrong_clocks = screen.errors.devices
    kept: list[Item] = []
    for index, item in enumerate(items):
        if type(item) is Fix:
            lon, lat = item.lon, item.lat
            plain = (
                near < item.observed_us < far and -180 <= lon <= 180 and -90 <= lat <= 90
                and (lon > ZERO_ISLAND_DEG or lon < -ZERO_ISLAND_DEG)
                and not (west <= lat <= east and south <= lon <= north)
                and not (wrong_clocks and item.identity in wrong_clocks)
            )  # fmt: skip
            kept.append(item if plain else judge_fix(item, screen))
        elif type(item) is CallReport:
            call, note = unlocate(item, screen)
            if note:
                notes[index] = note
            kept.append(judge_board(call, screen))
        elif type(item) is BoardPoll:
            kept.append(judge_board(item, screen))
        else:
            kept.append(item)
    return kept
