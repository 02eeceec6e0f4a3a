"""Reads of layers under a viewer's grants, and how far back answers are final."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection

from apps.accounts.instance import InstanceState, read_instance
from apps.accounts.models import Agency
from apps.accounts.viewer import Viewer
from apps.layers.definition import Cursor, FeatureRow, Layer, PageQuery
from apps.layers.net import seen_by
from apps.layers.registry import catalog
from apps.layers.sensitive import reading
from apps.layers.window import BBox

# A batch records with the time at which its transaction began. Any that is open may still commit rows of that time;
# one that is not seen yet began within the last second.
HORIZON = """
    SELECT least(min(xact_start), clock_timestamp() - interval '1 second') FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND (starts_with(application_name, 'rtcc pipeline') OR backend_xid IS NOT NULL)
"""


class NoSuchLayer(Exception):
    """There is no such layer, or the viewer may see it of no agency (which of the two is not told)."""


class NoSuchAgency(Exception):
    """There is no such agency, or the viewer may not see this layer of it (which of the two is not told)."""


@dataclass(frozen=True)
class Wanted:
    """What a viewer asks of a layer; `after` is the (rev, id) of the last feature that was got."""

    agency: str | None = None
    bbox: BBox | None = None
    at: datetime | None = None
    known: datetime | None = None
    after: tuple[int, int] = (0, 0)
    limit: int = 1000
    why: str = ""

    @property
    def past(self) -> bool:
        return self.at is not None or self.known is not None

    def told(self) -> dict[str, object]:
        """Return when and where, as the audit tells it."""
        facts = {"at": self.at and self.at.isoformat(), "known": self.known and self.known.isoformat(), "bbox": self.bbox}
        return {name: value for name, value in facts.items() if value is not None}


@dataclass(frozen=True)
class Page:
    """Features, the (rev, id) to go on from (None: that was all), and the time of recording that bounds the answer."""

    features: list[FeatureRow]
    next: tuple[int, int] | None
    known: datetime | None


@dataclass(frozen=True)
class VisibleLayer:
    layer: Layer
    agencies: list[Agency]


def known_horizon(cursor: Cursor, instance: InstanceState) -> datetime:
    """Return the newest instance time K of which it is settled what was recorded by K.

    Nothing commits later with a time of recording up to K: K lies before the start of every open batch.
    """
    cursor.execute(HORIZON)
    began: datetime = cursor.fetchall()[0][0]
    return instance.clock.at(began) - timedelta(microseconds=1)


def settled(known: datetime | None) -> datetime | None:
    """Return `known`, or the horizon when that is earlier; None stays None. Not within `seen_by`: a viewer sees no other sessions."""
    if known is None:
        return None
    with connection.cursor() as cursor:
        return min(known, known_horizon(cursor, read_instance()))


def visible_layers(*, viewer: Viewer) -> list[VisibleLayer]:
    """Return the layers that the viewer may see of some agency, in the catalog's order, with those agencies."""
    seen = {name: viewer.agencies(name) for name in catalog()}
    agencies = Agency.objects.defer("area").in_bulk({id for ids in seen.values() for id in ids})
    return [VisibleLayer(layer, [agencies[id] for id in seen[layer.name]]) for layer in catalog().values() if seen[layer.name]]


def features(*, viewer: Viewer, layer: str, wanted: Wanted) -> Page:
    """Return one page of a layer; a sensitive read leaves its audit row. Raises NoSuchLayer, NoSuchAgency, WhyRequired, NotAudited."""
    definition, agencies = allowed(viewer, layer, wanted.agency)
    known = settled(wanted.known)
    query = PageQuery(agencies, wanted.bbox, wanted.at, known, wanted.after, wanted.limit)
    with (
        reading(definition, agencies=agencies, past=wanted.past, why=wanted.why, detail=wanted.told()) as read,
        seen_by(viewer) as cursor,
    ):
        rows = definition.page(cursor, replace(query, limit=wanted.limit + 1))
        page = rows[: wanted.limit]
        read.count = len(page)
    return Page(page, (page[-1].rev, page[-1].id) if len(rows) > len(page) else None, known)


def allowed(viewer: Viewer, layer: str, agency: str | None) -> tuple[Layer, list[int]]:
    """Return the layer and the agencies of which it is shown. Raises NoSuchLayer, NoSuchAgency."""
    agencies = viewer.agencies(layer)
    if layer not in catalog() or not agencies:
        raise NoSuchLayer(f'there is no layer "{layer}" that you may see')
    if agency is not None:
        agencies = list(Agency.objects.filter(slug=agency, pk__in=agencies).values_list("pk", flat=True))
        if not agencies:
            raise NoSuchAgency(f'there is no agency "{agency}" whose layer "{layer}" you may see')
    return catalog()[layer], agencies
