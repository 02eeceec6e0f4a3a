"""What a layer is: its name, who may be given it, and how its features are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol


class Cursor(Protocol):
    """Django's cursor and psycopg's alike."""

    def execute(self, query: Any, params: Any = None) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class FeatureRow(NamedTuple):
    """A feature at a revision; `geojson` is None when it has left the layer."""

    id: int
    rev: int
    geojson: bytes | None


@dataclass(frozen=True)
class PageQuery:
    """One page of a layer. `agencies` are those that the viewer may see; `bbox` is west, south, east, north in degrees.

    `at` means observed by then, `known` recorded by then; None means the latest.
    """

    agencies: Sequence[int]
    bbox: tuple[float, float, float, float] | None
    at: datetime | None
    known: datetime | None
    after: tuple[int, int]
    limit: int


@dataclass(frozen=True)
class Layer:
    """`changed(cursor, agency_id, after_rev)` returns what a replica at that revision lacks (0: all that is live).
    Layers of kind "positions" are read by the hub in packed form (tracks.queries) and leave it out.
    `sensitive`: which reads are audited: of the past (where somebody has been), always (whom a camera saw), or never."""

    name: str
    title: str
    kind: Literal["positions", "features"]
    page: Callable[[Cursor, PageQuery], list[FeatureRow]]
    changed: Callable[[Cursor, int, int], list[FeatureRow]] | None = None
    sensitive: Literal["never", "past", "always"] = "never"
