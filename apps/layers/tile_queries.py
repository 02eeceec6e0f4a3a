"""Read one tile under a viewer's grants, or say that the one that is known still holds."""

from dataclasses import dataclass, replace
from datetime import datetime

from apps.accounts.viewer import Viewer
from apps.geo.tile_address import TileAddress
from apps.layers.definition import TileQuery
from apps.layers.net import seen_by
from apps.layers.queries import allowed, settled
from apps.layers.sensitive import reading
from apps.layers.tile_parameters import TilesWanted
from apps.layers.tile_tags import Basis, basis_of, matches, read_heads
from apps.layers.tiles import draw


@dataclass(frozen=True)
class TileAnswer:
    """`body` None: what the asker has is still so. `tag` None: there is none, and nobody may keep the tile."""

    body: bytes | None
    tag: str | None
    known: datetime | None
    basis: Basis | None = None


def tile(*, viewer: Viewer, layer: str, address: TileAddress, wanted: TilesWanted, if_none_match: str = "") -> TileAnswer:
    """Return a tile, or that nothing changed. The heads are read before the rows: a tag may be older than its tile, never newer.

    A sensitive read leaves its audit row. Raises NoSuchLayer, NoSuchAgency, WhyRequired, NotAudited."""
    definition, agencies = allowed(viewer, layer, wanted.agency)
    known = settled(wanted.known)
    query = wanted.of(address, agencies, known)
    audited = reading(definition, agencies=agencies, past=query.past, why=wanted.why, detail=_told(query))
    with audited as read, seen_by(viewer) as cursor:
        if query.past and not (definition.tiling.by_tile and known is not None and known == wanted.known):
            drawn = draw(cursor, definition, query)
            read.count = drawn.features or 0
            return TileAnswer(drawn.body, None, known)
        basis = basis_of(definition, agencies, viewer.epoch, address, replace(wanted, known=known))
        tag = basis.tag(read_heads(cursor, definition, basis))
        keep = basis if definition.tiling.by_tile else None
        if matches(if_none_match, tag):
            return TileAnswer(None, tag, known, keep)
        return TileAnswer(draw(cursor, definition, query).body, tag, known, keep)


def _told(query: TileQuery) -> dict[str, object]:
    """Return when and where, as the audit tells it."""
    facts = {"at": query.at and query.at.isoformat(), "known": query.known and query.known.isoformat()}
    return {"tile": f"{query.address.z}/{query.address.x}/{query.address.y}", **{name: at for name, at in facts.items() if at}}
