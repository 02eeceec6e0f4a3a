"""What must be true after a fault: nothing acknowledged is lost, nothing is there twice, and every screen shows the truth.

All of it is computed again here, one fix at a time and with none of the pipeline's code.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from tests.faults.ledger import AckedFix, Ledger
from tests.faults.screens import Screen

Rows = Callable[[str, list[Any]], list[Any]]
FENCES = """
    SELECT f.id, a.slug, ST_AsBinary(f.geom), ST_X(f.center), ST_Y(f.center), f.radius_m
    FROM geofences_fence f JOIN accounts_agency a ON a.id = f.agency_id WHERE f.removed_at IS NULL
"""
STORED = """
    SELECT t.identity, (extract(epoch FROM f.observed_at) * 1000000)::bigint, ST_X(f.geom), ST_Y(f.geom), f.speed_mps
    FROM tracks_fix f JOIN tracks_track t ON t.id = f.track_id WHERE t.identity LIKE %s
"""
TRANSITIONS = """
    SELECT t.identity, x.fence_id, x.kind, (extract(epoch FROM x.entered_at) * 1000000)::bigint,
           (extract(epoch FROM x.observed_at) * 1000000)::bigint
    FROM geofences_transition x JOIN tracks_track t ON t.id = x.track_id WHERE t.identity LIKE %s
"""
PRESENCE = """
    SELECT t.identity, p.fence_id, (extract(epoch FROM p.entered_at) * 1000000)::bigint
    FROM geofences_presence p JOIN tracks_track t ON t.id = p.track_id WHERE t.identity LIKE %s
"""
LATEST = """
    SELECT t.identity, (extract(epoch FROM p.observed_at) * 1000000)::bigint, ST_X(p.geom), ST_Y(p.geom)
    FROM tracks_position p JOIN tracks_track t ON t.id = p.track_id WHERE t.identity LIKE %s
"""
REVISIONS = """
    SELECT c.number, r.sequence, r.state, r.narrative
    FROM incidents_callrevision r JOIN incidents_call c ON c.id = r.call_id WHERE c.number LIKE %s
"""
ORPHANS = "SELECT count(*) FROM tracks_fix f WHERE NOT EXISTS (SELECT FROM tracks_track t WHERE t.id = f.track_id)"
ASIDE = """
    SELECT convert_from(part, 'UTF8')::json ->> 'identity', detail FROM ingest_reject
    WHERE reason = 'set_aside' AND convert_from(part, 'UTF8')::json ->> 'identity' LIKE %s
"""
SERVED = "SELECT track_id, agency_id, round(ST_X(geom) * 10000000)::int, round(ST_Y(geom) * 10000000)::int FROM tracks_position ORDER BY 1"
OPEN_CALLS = "SELECT id, agency_id, number, state, narrative FROM incidents_call WHERE state <> 'closed'"
SHOWN_FENCES = "SELECT id, agency_id, name FROM geofences_fence WHERE removed_at IS NULL"
EARTH_M = 6_371_008.8


@dataclass
class Verdict:
    """Counts of what is wrong; all zero when nothing is. `told`: the first few, in words."""

    lost: int = 0
    twice: int = 0
    never_sent: int = 0
    transitions_wrong: int = 0
    presence_wrong: int = 0
    latest_wrong: int = 0
    clients_wrong: int = 0
    told: list[str] = field(default_factory=list)

    def note(self, name: str, wrong: Iterable[Any]) -> None:
        found = list(wrong)
        setattr(self, name, getattr(self, name) + len(found))
        self.told += [f"{name}: {one}" for one in found[:3]]

    @property
    def counts(self) -> dict[str, int]:
        return {name: count for name, count in asdict(self).items() if name != "told"}

    @property
    def is_clean(self) -> bool:
        return not any(self.counts.values())


@dataclass(frozen=True)
class Area:
    """A fence, asked with one point at a time. A circle counts by great-circle distance."""

    id: int
    agency: str
    shape: Any
    center: tuple[float, float] | None
    radius_m: float

    def holds(self, lon: float, lat: float) -> bool:
        if self.center is None:
            return bool(shapely.intersects(self.shape, shapely.Point(lon, lat)))
        return central_angle(self.center, (lon, lat)) * EARTH_M <= self.radius_m


def central_angle(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Angle between two points on a sphere, in radians (Vincenty's formula for a sphere; degrees in)."""
    lon, phi1, phi2 = math.radians(b[0] - a[0]), math.radians(a[1]), math.radians(b[1])
    east = math.cos(phi2) * math.sin(lon)
    north = math.cos(phi1) * math.sin(phi2) - math.sin(phi1) * math.cos(phi2) * math.cos(lon)
    return math.atan2(math.hypot(east, north), math.sin(phi1) * math.sin(phi2) + math.cos(phi1) * math.cos(phi2) * math.cos(lon))


def read_areas(rows: Rows) -> list[Area]:
    found = rows(FENCES, [])
    return [Area(id, slug, shapely.from_wkb(bytes(wkb)), None if x is None else (x, y), r or 0) for id, slug, wkb, x, y, r in found]


@dataclass
class Expected:
    """What one serial reading of the acknowledged stream leads to."""

    stored: dict[tuple[str, int], AckedFix] = field(default_factory=dict)
    latest: dict[str, AckedFix] = field(default_factory=dict)
    inside: dict[tuple[str, int], int] = field(default_factory=dict)
    transitions: list[tuple[str, int, str, int, int]] = field(default_factory=list)

    def read(self, fix: AckedFix, areas: list[Area]) -> None:
        self.stored.setdefault((fix.identity, fix.observed_us), fix)
        before = self.latest.get(fix.identity)
        if before is None or fix.observed_us > before.observed_us:
            self.latest[fix.identity] = fix
            for area in areas:
                if area.agency == fix.agency:
                    self.cross(fix, area.id, area.holds(fix.lon, fix.lat))

    def cross(self, fix: AckedFix, area: int, is_inside: bool) -> None:
        key = (fix.identity, area)
        if is_inside and key not in self.inside:
            self.inside[key] = fix.observed_us
            self.transitions.append((*key, "enter", fix.observed_us, fix.observed_us))
        elif not is_inside and key in self.inside:
            self.transitions.append((*key, "exit", self.inside.pop(key), fix.observed_us))


def expect(ledger: Ledger, areas: list[Area]) -> Expected:
    expected = Expected()
    for fix in ledger.fixes:
        expected.read(fix, areas)
    return expected


def judge(rows: Rows, ledger: Ledger, *, aside: frozenset[str] = frozenset()) -> Verdict:
    """Compare the database with the ledger. `aside`: identities of which each fix must be set aside, and nothing stored."""
    verdict, like = Verdict(), [f"{ledger.prefix}%"]
    expected = expect(ledger, read_areas(rows))
    wanted = {key: (fix.lon, fix.lat, fix.speed_mps) for key, fix in expected.stored.items() if key[0] not in aside}
    stored = [(row[:2], row[2:]) for row in rows(STORED, like)]
    compare(verdict, wanted, stored)
    compare(verdict, {(call.number, call.sequence): (call.state, call.narrative) for call in ledger.calls},
            [(row[:2], row[2:]) for row in rows(REVISIONS, like)])  # fmt: skip
    verdict.note("never_sent", ["fixes of tracks that do not exist"] * rows(ORPHANS, [])[0][0])
    kept = Counter(identity for identity, _ in rows(ASIDE, like))
    sent_aside = Counter(fix.identity for fix in expected.stored.values() if fix.identity in aside)
    verdict.note("lost", ((sent_aside - kept) + (kept - sent_aside)).elements())
    differ(verdict, "transitions_wrong", (row for row in expected.transitions if row[0] not in aside), rows(TRANSITIONS, like))
    present = [(*key, us) for key, us in expected.inside.items() if key[0] not in aside]
    differ(verdict, "presence_wrong", present, rows(PRESENCE, like))
    newest = [(fix.identity, fix.observed_us, fix.lon, fix.lat) for fix in expected.latest.values() if fix.identity not in aside]
    differ(verdict, "latest_wrong", newest, rows(LATEST, like))
    return verdict


def compare(verdict: Verdict, wanted: dict[Any, Any], stored: list[tuple[Any, Any]]) -> None:
    """A stored row with other content than was acknowledged is both: one lost, one never sent."""
    counts = Counter(key for key, _ in stored)
    have = {(key, rounded(content)) for key, content in stored}
    want = {(key, rounded(content)) for key, content in wanted.items()}
    verdict.note("twice", [key for key, count in counts.items() if count > 1])
    verdict.note("lost", want - have)
    verdict.note("never_sent", have - want)


def rounded(content: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(round(part, 7) if isinstance(part, float) else part for part in (round_single(part) for part in content))


def round_single(part: Any) -> Any:
    """Speeds are stored in single precision."""
    return round(part, 5) if isinstance(part, float) and 0 <= part < 90 else part


def differ(verdict: Verdict, name: str, wanted: Iterable[tuple[Any, ...]], found: Iterable[tuple[Any, ...]]) -> None:
    want, have = Counter(map(tuple, wanted)), Counter(map(tuple, found))
    verdict.note(name, [("missing", *row) for row in (want - have).elements()])
    verdict.note(name, [("extra", *row) for row in (have - want).elements()])


@dataclass(frozen=True)
class Truth:
    """What the server holds now, for screens to be compared with."""

    positions: NDArray[np.int64]
    calls: dict[int, tuple[int, str, str, str]]
    fences: dict[int, tuple[int, str]]

    @classmethod
    def read(cls, rows: Rows) -> "Truth":
        positions = np.array(rows(SERVED, []), np.int64).reshape(-1, 4)
        calls = {row[0]: tuple(row[1:]) for row in rows(OPEN_CALLS, [])}
        fences = {row[0]: tuple(row[1:]) for row in rows(SHOWN_FENCES, [])}
        return cls(positions, calls, fences)


def wrong_screens(truth: Truth, screens: list[Screen]) -> list[str]:
    """Say of each screen that does not show exactly the truth what is wrong with it."""
    found = []
    for number, screen in enumerate(screens):
        problem = problem_of(truth, screen)
        if problem:
            found.append(f"screen {number} ({screen.agencies}, wide {screen.state.tiles.wide}): {problem}")
    return found


def problem_of(truth: Truth, screen: Screen) -> str:
    want, have = screen.expected(truth.positions), screen.state.positions()
    if not np.array_equal(want, have):
        return told_apart(want, have)
    calls = {id: (agency, *said) for agency, id, said in shown(screen, "calls", ("number", "state", "narrative"))}
    if calls != {id: call for id, call in truth.calls.items() if call[0] in screen.agencies}:
        return f"{len(calls)} calls shown"
    fences = {id: (agency, *said) for agency, id, said in shown(screen, "fences", ("name",))}
    if fences != {id: fence for id, fence in truth.fences.items() if fence[0] in screen.agencies}:
        return f"{len(fences)} fences shown"
    return "; ".join(screen.faults[:3])


def told_apart(want: NDArray[np.int64], have: NDArray[np.int64]) -> str:
    missing, extra = (sorted(set(a[:, 0].tolist()) - set(b[:, 0].tolist())) for a, b in ((want, have), (have, want)))
    moved = len(set(map(tuple, want.tolist())) - set(map(tuple, have.tolist()))) - len(missing)
    return f"positions: {len(missing)} missing {missing[:3]}, {len(extra)} extra {extra[:3]}, {moved} elsewhere"


def shown(screen: Screen, layer: str, names: tuple[str, ...]) -> list[tuple[int, int, tuple[Any, ...]]]:
    return [
        (agency, id, tuple(feature["properties"][name] for name in names))
        for (of, agency), features in screen.state.features.items()
        if of == layer
        for id, feature in features.items()
    ]
