"""Posts of fixes for a bench: who moves where when, with repeats and late ones among them. Pure and seeded."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

WEST, SOUTH, SIDE = -87.9, 41.65, 0.4
FIX = b'{"id":"t%d","time":%.3f,"lon":%.6f,"lat":%.6f,"speed_mps":%.1f,"heading_deg":%d,"accuracy_m":4}'


@dataclass(frozen=True)
class Plan:
    """`tracks` devices report in turn, `per_post` a post; `start_s` is the first fix's time (seconds since 1970) and
    `step_s` the time between two fixes of one device."""

    tracks: int
    per_post: int
    start_s: float
    step_s: float
    repeated_share: float = 0.01
    late_share: float = 0.01


@dataclass(frozen=True)
class PlannedPost:
    body: bytes
    fixes: int
    repeated: int


def posts(plan: Plan) -> Iterator[PlannedPost]:
    """Yield posts without end. A repeated fix is the device's last one again; a late one lies between its last two."""
    rng = np.random.default_rng(1)
    lon, lat = WEST + SIDE * rng.random(plan.tracks), SOUTH + SIDE * rng.random(plan.tracks)
    last: dict[int, bytes] = {}
    turn = 0
    while True:
        for first in range(0, plan.tracks, plan.per_post):
            yield _post(plan, rng, lon, lat, last, np.arange(first, min(first + plan.per_post, plan.tracks)), turn)
        turn += 1


def _post(
    plan: Plan, rng: np.random.Generator, lon: np.ndarray, lat: np.ndarray, last: dict[int, bytes], tracks: np.ndarray, turn: int
) -> PlannedPost:
    """Make one post; moves the devices in `lon` and `lat` and keeps what each said in `last`."""
    lot = rng.random(len(tracks)) if turn else np.ones(len(tracks))
    old = lot < plan.repeated_share + plan.late_share
    repeated = int((lot < plan.repeated_share).sum())
    before_lon, before_lat = lon[tracks].copy(), lat[tracks].copy()
    move = rng.normal(0, 1e-4, (2, len(tracks)))
    lon[tracks] += np.where(old, 0, move[0])
    lat[tracks] += np.where(old, 0, move[1])
    now = plan.start_s + turn * plan.step_s
    parts = []
    for place, track in enumerate(tracks.tolist()):
        if lot[place] < plan.repeated_share:
            parts.append(last[track])
            continue
        late = bool(old[place])
        time = now - 1.5 * plan.step_s if late else now
        part = FIX % (track, time, before_lon[place] if late else lon[track], before_lat[place] if late else lat[track], 10.5, track % 360)
        parts.append(part)
        if not late:
            last[track] = part
    return PlannedPost(b'{"fixes":[' + b",".join(parts) + b"]}", len(tracks), repeated)
