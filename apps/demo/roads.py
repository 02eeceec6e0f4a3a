"""The town's streets as a network: crossings, blocks between them, and the shortest way from one crossing to another."""

from dataclasses import dataclass
from functools import cache
from heapq import heappop, heappush

import numpy as np
import shapely

from apps.demo.plane import Coordinates, to_degrees
from apps.demo.town import Street, blocks

SPEED_MPS = {"motorway": 26.0, "primary": 15.5, "secondary": 13.0, "residential": 9.5}


@dataclass(frozen=True)
class Block:
    """A stretch from crossing `start` to crossing `end`; `distances` are meters along `points` (meters on the plane)."""

    start: int
    end: int
    name: str
    points: Coordinates
    distances: Coordinates
    speed_mps: float

    @property
    def length_m(self) -> float:
        return float(self.distances[-1])

    def place(self, along_m: float) -> tuple[float, float, float]:
        """Return x, y in meters and the heading in degrees clockwise from true north."""
        index = int(np.clip(np.searchsorted(self.distances, along_m), 1, len(self.distances) - 1))
        before, after = self.points[index - 1], self.points[index]
        share = (along_m - self.distances[index - 1]) / (self.distances[index] - self.distances[index - 1])
        x, y = before + (after - before) * share
        return float(x), float(y), float(np.degrees(np.arctan2(*(after - before))) % 360)


@dataclass(frozen=True)
class Roads:
    crossings: Coordinates
    leaving: tuple[tuple[Block, ...], ...]

    def nearest(self, x: float, y: float) -> int:
        return int(np.argmin(((self.crossings - (x, y)) ** 2).sum(axis=1)))

    def way(self, start: int, end: int) -> list[Block]:
        """Return the quickest way (Dijkstra); empty when it is already there."""
        came: dict[int, Block] = {}
        best = {start: 0.0}
        queue = [(0.0, start)]
        while queue:
            cost, here = heappop(queue)
            if here == end:
                break
            for block in self.leaving[here]:
                reached = cost + block.length_m / block.speed_mps
                if reached < best.get(block.end, np.inf):
                    best[block.end], came[block.end] = reached, block
                    heappush(queue, (reached, block.end))
        return _back(came, start, end)


def _back(came: dict[int, Block], start: int, end: int) -> list[Block]:
    way: list[Block] = []
    while end != start:
        way.append(came[end])
        end = came[end].start
    return way[::-1]


def one_way(street: Street, start: int, end: int, points: Coordinates) -> Block:
    steps = np.hypot(*np.diff(points, axis=0).T)
    return Block(start, end, street.name, points, np.concatenate([[0.0], np.cumsum(steps)]), SPEED_MPS[street.kind])


def connected(ends: np.ndarray, crossings: int) -> np.ndarray:
    """Return which crossings belong to the largest connected part (labels spread until nothing changes)."""
    label = np.arange(crossings)
    while True:
        lowest = np.minimum(label[ends[:, 0]], label[ends[:, 1]])
        spread = label.copy()
        np.minimum.at(spread, ends[:, 0], lowest)
        np.minimum.at(spread, ends[:, 1], lowest)
        if (spread == label).all():
            return np.asarray(label == np.bincount(label).argmax())
        label = spread


@cache
def network() -> Roads:
    """Return the largest connected part of the streets. Every block can be driven both ways."""
    streets = [street for street in blocks() if street.line.length > 1]
    tips = np.array([[street.line.coords[0], street.line.coords[-1]] for street in streets]).round(1)
    places, ends = np.unique(tips.reshape(-1, 2), axis=0, return_inverse=True)
    ends = ends.reshape(-1, 2)
    kept = connected(ends, len(places))
    number = np.cumsum(kept) - 1
    leaving: list[list[Block]] = [[] for _ in range(int(kept.sum()))]
    for street, (start, end) in zip(streets, ends, strict=True):
        if kept[start] and start != end:
            points = shapely.get_coordinates(street.line)
            leaving[number[start]].append(one_way(street, int(number[start]), int(number[end]), points))
            leaving[number[end]].append(one_way(street, int(number[end]), int(number[start]), points[::-1]))
    return Roads(places[kept], tuple(tuple(out) for out in leaving))


def lng_lat(x: float, y: float) -> tuple[float, float]:
    lon, lat = to_degrees(np.array([[x, y]]))[0]
    return round(float(lon), 7), round(float(lat), 7)
