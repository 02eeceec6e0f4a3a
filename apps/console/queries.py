"""Reads across apps: the board of calls."""

from dataclasses import dataclass
from datetime import datetime

from apps.accounts.viewer import Viewer
from apps.boundaries.tags import Tags
from apps.incidents.features import CallRow, call_feature
from apps.incidents.layers import CALLS
from apps.incidents.models import CallState
from apps.incidents.queries import open_calls
from apps.layers.definition import PageQuery
from apps.layers.net import seen_by
from apps.layers.queries import Wanted, settled
from apps.layers.sensitive import reading

MOST = 20_000


@dataclass(frozen=True)
class CallsBoard:
    """Open calls as GeoJSON, in the board's order, and the time of recording that bounds the answer."""

    calls: list[bytes]
    unlocated: int
    waiting: int
    active: int
    known: datetime | None


def calls_board(*, viewer: Viewer, at: datetime | None = None, known: datetime | None = None, why: str = "") -> CallsBoard:
    """Return the calls that the viewer may see: unlocated, then waiting, then active; each by rank, then the oldest first.

    An unlocated call is counted as unlocated and by its state. At most 20,000 calls. Raises as layers.sensitive.reading.
    """
    tags, wanted, agencies = Tags(), Wanted(at=at, known=known), viewer.agencies(CALLS.name)
    until = settled(known)
    with (
        reading(CALLS, agencies=agencies, past=wanted.past, why=why, detail={"board": "calls", **wanted.told()}) as read,
        seen_by(viewer) as cursor,
    ):
        calls = open_calls(cursor, PageQuery(agencies, None, at, until, (0, 0), MOST))
        read.count = len(calls)
        tags.read(cursor, (call.boundaries for call in calls))
    ordered = sorted(calls, key=place_on_board)
    return CallsBoard(
        calls=[call_feature(call, tags) for call in ordered],
        unlocated=sum(call.lon is None for call in calls),
        waiting=sum(call.state == CallState.WAITING for call in calls),
        active=sum(call.state == CallState.ACTIVE for call in calls),
        known=until,
    )


def place_on_board(call: CallRow) -> tuple[bool, bool, int, datetime, int]:
    """Return what the board sorts by. False sorts first."""
    return call.lon is not None, call.state != CallState.WAITING, call.rank, call.opened_at, call.id
