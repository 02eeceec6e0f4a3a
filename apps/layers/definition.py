"""What a layer is: its name, who may be given it, and how its features are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from apps.geo.tile_address import TileAddress


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
class TileQuery:
    """One tile of a layer. `agencies`, `at` and `known` as in a PageQuery; `since` (inclusive) and `until` are a window of time and
    come together, without the other two. `filters`: values by the layer's names of them."""

    address: TileAddress
    agencies: Sequence[int]
    at: datetime | None = None
    known: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None
    filters: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def past(self) -> bool:
        return self.at is not None or self.known is not None


class TileSource(Protocol):
    """How the features of one tile are counted and drawn; a point belongs to the one tile that holds it."""

    def has_more_than(self, cursor: Cursor, most: int) -> bool: ...
    def cells(self, cursor: Cursor, resolution: int) -> dict[int, int]:
        """Return how many features each H3 cell has in the tile; cell 0 has those of which no cell is known."""
        ...

    def drawn(self, cursor: Cursor) -> bytes:
        """Return the features one by one, as a Mapbox Vector Tile with one layer."""
        ...

    def number(self) -> int | None:
        """Return how many features `drawn` drew; None: it did not count."""
        ...


FilterKind = Literal["text", "number"]


@dataclass(frozen=True)
class Tiling:
    """How a layer is cut into tiles. `fields` are the attributes of a feature, by name and what they hold (TileJSON's description).

    `source` None: the tile is made of the layer's pages; `places` then reads where the features of a box are, as (longitude, latitude),
    without the rest: for tiles of which only the number is told. `by_tile`: heads are kept by tile (layers.TileHead), not for the whole
    layer alone. `windows`: it can be asked for a window of time. `cells_to_zoom`: up to this zoom features are told by H3 cell.
    """

    fields: Mapping[str, str]
    filters: Mapping[str, FilterKind]
    geometry: Literal["point", "area"]
    cells_to_zoom: int = -1
    windows: bool = False
    by_tile: bool = False
    source: Callable[[TileQuery], TileSource] | None = None
    places: Callable[[Cursor, PageQuery], list[tuple[float, float]]] | None = None


@dataclass(frozen=True)
class Layer:
    """`changed(cursor, agency_id, after_rev)` returns what a replica at that revision lacks (0: all that is live).
    Layers of kind "positions" are read by the hub in packed form (tracks.queries) and leave it out.
    `sensitive`: which reads are audited: of the past (where somebody has been), always (whom a camera saw), or never."""

    name: str
    title: str
    kind: Literal["positions", "features"]
    page: Callable[[Cursor, PageQuery], list[FeatureRow]]
    tiling: Tiling
    changed: Callable[[Cursor, int, int], list[FeatureRow]] | None = None
    sensitive: Literal["never", "past", "always"] = "never"
