"""Read the address and the parameters of a request for tiles; a wrong one is named with what was expected."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from apps.geo.tile_address import MOST_ZOOM, TileAddress
from apps.layers.definition import FilterKind, Layer, TileQuery
from apps.layers.parameters import BadParameter, read_slug, read_time, read_why

TIMES = ("at", "known", "from", "to")
COMMON = ("agency", *TIMES, "why", "token")


@dataclass(frozen=True)
class TilesWanted:
    """What is asked of a layer's tiles, whatever the tile. `since` and `until` come together."""

    agency: str | None = None
    at: datetime | None = None
    known: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None
    filters: Mapping[str, str | int] = field(default_factory=dict)
    why: str = ""

    def of(self, address: TileAddress, agencies: Sequence[int], known: datetime | None) -> TileQuery:
        return TileQuery(address, agencies, self.at, known, self.since, self.until, self.filters)


def names_of(layer: Layer) -> tuple[str, ...]:
    """Return the parameters that a layer's tiles take."""
    return (*COMMON, *layer.tiling.filters)


def read_address(z: int, x: int, y: int) -> TileAddress:
    """Raises BadParameter."""
    try:
        return TileAddress(z, x, y)
    except ValueError as error:
        raise BadParameter("tile", f"{z}/{x}/{y}", f"z from 0 to {MOST_ZOOM}, x and y from 0 to 2^z - 1") from error


def read_tiles_wanted(query: Mapping[str, str], layer: Layer) -> TilesWanted:
    """Return what a query string asks of a layer. Raises BadParameter."""
    since, until = _window(query, layer)
    return TilesWanted(
        agency=read_slug(query["agency"]) if "agency" in query else None,
        at=read_time(query, "at"),
        known=read_time(query, "known"),
        since=since,
        until=until,
        filters={name: _value(name, query[name], kind) for name, kind in layer.tiling.filters.items() if name in query},
        why=read_why(query["why"]) if "why" in query else "",
    )


def _window(query: Mapping[str, str], layer: Layer) -> tuple[datetime | None, datetime | None]:
    since, until = read_time(query, "from"), read_time(query, "to")
    if since is None and until is None:
        return None, None
    given = "from" if since else "to"
    if not layer.tiling.windows:
        raise BadParameter(given, query[given], f"no window of time: {layer.name} are asked for by at or known")
    if since is None or until is None:
        raise BadParameter(given, query[given], "from and to together")
    if since >= until:
        raise BadParameter("to", query["to"], "a time after from")
    for name in ("at", "known"):
        if name in query:
            raise BadParameter(name, query[name], "either from and to, or at and known")
    return since, until


def _value(name: str, text: str, kind: FilterKind) -> str | int:
    if kind == "number":
        if not re.fullmatch(r"[0-9]{1,4}", text):
            raise BadParameter(name, text, "a number from 0 to 9999")
        return int(text)
    if not text or len(text) > 200 or "\x00" in text:
        raise BadParameter(name, text, "1 to 200 characters")
    return text
