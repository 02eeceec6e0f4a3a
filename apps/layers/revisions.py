"""Change a layer: rows that carry `rev` are written last, under the revision's lock, in one order everywhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection, transaction

from apps.layers.hints import LayerChange, publish

LOCK = """
    SELECT layer, agency_id, rev FROM layers_layerrevision
    WHERE (layer, agency_id) IN (SELECT * FROM unnest(%s::text[], %s::bigint[]))
    ORDER BY layer, agency_id FOR UPDATE
"""
MAKE = """
    INSERT INTO layers_layerrevision (layer, agency_id, rev)
    SELECT layer, agency, 0 FROM unnest(%s::text[], %s::bigint[]) AS wanted (layer, agency)
    ORDER BY layer, agency ON CONFLICT DO NOTHING
"""
BUMP = """
    UPDATE layers_layerrevision SET rev = rev + 1
    WHERE (layer, agency_id) IN (SELECT * FROM unnest(%s::text[], %s::bigint[]))
"""
Write = Callable[[int], object]


@dataclass
class Publication:
    """The layers that an operation changes; each with writes that need the new revision."""

    writes: dict[tuple[str, int], list[Write]] = field(default_factory=dict)

    def touch(self, layer: str, agency_id: int, write: Write | None = None) -> None:
        """Announce a change; `write(rev)` runs at the end and may only write rows that this operation made or has locked."""
        self.writes.setdefault((layer, agency_id), []).extend([write] if write else [])


@contextmanager
def publishing() -> Iterator[Publication]:
    """One transaction that ends with the revisions' locks, the rows that carry `rev`, and after commit a hint."""
    with transaction.atomic():
        publication = Publication()
        yield publication
        if publication.writes:
            changes = _write(publication)
            transaction.on_commit(lambda: publish(changes))


def _write(publication: Publication) -> list[LayerChange]:
    names = [layer for layer, _ in publication.writes]
    agencies = [agency for _, agency in publication.writes]
    with connection.cursor() as cursor:
        cursor.execute(MAKE, [names, agencies])
        cursor.execute(LOCK, [names, agencies])
        heads = {(layer, agency): rev for layer, agency, rev in cursor.fetchall()}
        cursor.execute(BUMP, [names, agencies])
    for key, writes in publication.writes.items():
        for write in writes:
            write(heads[key] + 1)
    return [LayerChange(layer, agency, rev, rev + 1, None) for (layer, agency), rev in heads.items()]
