"""A call as a GeoJSON feature: pure, so that the pipeline and the queries write the same bytes."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from apps.boundaries.tags import Tags
from apps.incidents.models import CallState
from apps.layers.geojson import encode_feature, point


class CallRow(NamedTuple):
    """The state of a call with the slugs of its agency and source. Times are aware, in UTC; degrees are WGS 84.

    No place: `lon` and `lat` are None. `boundaries` holds ids that the `Tags` given beside it have read.
    """

    id: int
    rev: int
    agency: str
    source: str
    origin: str
    number: str
    type: str
    priority: str
    rank: int
    state: str
    opened_at: datetime
    observed_at: datetime
    received_at: datetime
    recorded_at: datetime
    closed_at: datetime | None
    address: str
    cross_streets: str
    units: Sequence[str]
    uncertainty_m: float | None
    narrative: str
    lon: float | None
    lat: float | None
    boundaries: Sequence[int] | None


PLAIN = (
    "number", "agency", "type", "priority", "rank", "state", "opened_at", "observed_at", "received_at", "recorded_at",
    "closed_at", "address", "cross_streets", "units", "uncertainty_m", "origin", "source", "narrative",
)  # fmt: skip


def call_feature(row: CallRow, tags: Tags) -> bytes:
    """Return the call's GeoJSON, whatever its state. Raises nothing on an unlocated call: its geometry is null."""
    properties = {name: getattr(row, name) for name in PLAIN}
    properties["unlocated"] = row.lon is None
    properties["boundaries"] = tags.of(row.boundaries)
    return encode_feature(row.id, point(row.lon, row.lat), properties)


def is_open(row: CallRow) -> bool:
    return row.state != CallState.CLOSED
