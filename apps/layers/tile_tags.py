"""ETags of tiles: what a tile is made of, in a few bytes. Two tiles of one tag are the same tile."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from apps.geo.tile_address import TileAddress
from apps.layers.definition import Cursor, Layer
from apps.layers.tile_parameters import TilesWanted
from apps.layers.tiles import FORM

FINE, COARSE, PAST = 14, 8, 0
"""Zooms at which heads are kept by tile. A tile finer than FINE has the head of its ancestor, a coarser one those of all in it.
PAST is one head for all that an agency's past shows: what is erased may have been in any tile."""
Head = tuple[int, int, int]
"""An agency's id, the highest revision, and how often something was erased."""
BY_TILE = """
    SELECT agency_id, max(rev), sum(erased)::bigint FROM layers_tilehead
    WHERE layer = %s AND agency_id = ANY(%s) AND zoom = %s AND tile >= %s AND tile < %s GROUP BY agency_id ORDER BY agency_id
"""
BY_LAYER = "SELECT agency_id, rev, 0 FROM layers_layerrevision WHERE layer = %s AND agency_id = ANY(%s) ORDER BY agency_id"


@dataclass(frozen=True)
class Basis:
    """All of a tag but the heads. `first` to `behind` are the keys of the tiles of zoom `zoom` whose heads count."""

    layer: str
    agencies: tuple[int, ...]
    epoch: int
    zoom: int
    first: int
    behind: int
    is_past: bool
    words: str

    def tag(self, heads: Iterable[Head]) -> str:
        """Return the ETag. What was recorded by a settled time changes by erasing alone, wherever the feature was last."""
        told = [(agency, 0 if self.is_past else rev, erased) for agency, rev, erased in heads]
        text = repr((FORM, self.layer, self.agencies, self.epoch, self.words, told))
        return f'"{blake2b(text.encode(), digest_size=12).hexdigest()}"'


def basis_of(layer: Layer, agencies: Sequence[int], epoch: int, address: TileAddress, wanted: TilesWanted) -> Basis:
    past = wanted.at is not None or wanted.known is not None
    zoom = PAST if past else FINE if address.z > COARSE else COARSE
    first, behind = (address.ancestor(zoom) if address.z > zoom else address).keys(zoom)
    return Basis(layer.name, tuple(agencies), epoch, zoom, first, behind, past, repr((address, wanted)))


def read_heads(cursor: Cursor, layer: Layer, basis: Basis) -> list[Head]:
    if layer.tiling.by_tile:
        cursor.execute(BY_TILE, [basis.layer, list(basis.agencies), basis.zoom, basis.first, basis.behind])
    else:
        cursor.execute(BY_LAYER, [basis.layer, list(basis.agencies)])
    return [(agency, rev, erased) for agency, rev, erased in cursor.fetchall()]


def matches(if_none_match: str, tag: str) -> bool:
    """Compare weakly (RFC 9110, section 8.8.3.2): a compressed tile has its tag with a W/ before it."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in if_none_match.split(","))
