"""A board of active incidents as an ArcGIS REST query answers: one answer, or {"polled_at": ms, "pages": [answers]}.

settings: {"fields": {"number_from": ["Agency", "CALL_TIME"], "type": "IncidentType", "units": "Units", "opened_at": "CALL_TIME",
"lon": "LONGITUDE", "lat": "LATITUDE", …}, "units_separator": ","}. Without lon and lat the features' geometry is taken.
What is no longer in a whole answer has ended; an answer that is broken, an error or cut short ends nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from apps.geo.clock import microseconds
from apps.incidents.observations import BoardPoll
from apps.ingest import measures
from apps.ingest.adapters import json_parts
from apps.ingest.adapters.contract import Item, Rejected, Settings, Unreadable
from apps.ingest.adapters.each import inner, read_one
from apps.ingest.adapters.fields import Unfit, call_from, identity_of

PLAIN = ("type", "priority", "address", "cross_streets", "narrative", "opened_at", "uncertainty_m")


@dataclass(frozen=True)
class Poll:
    """What one poll brought: when, and the answers of its pages."""

    polled_us: int
    pages: list[Any]


def poll_of(payload: bytes, received_at: datetime) -> Poll:
    """Raises Unreadable."""
    whole = json_parts.loads(payload)
    if not isinstance(whole, dict):
        raise Unreadable("expected the answer of an ArcGIS query")
    if "pages" not in whole:
        return Poll(microseconds(received_at), [whole])
    polled = whole.get("polled_at")
    polled_us = microseconds(received_at) if polled is None else measures.microseconds_of(polled)
    if polled_us is None or not isinstance(whole["pages"], list) or not whole["pages"]:
        raise Unreadable('expected "polled_at" in milliseconds and a list of "pages"')
    return Poll(polled_us, whole["pages"])


def problem_of(page: Any) -> str | None:
    """Return why a page is no answer (errors come with HTTP 200), None when it is one."""
    if not isinstance(page, dict):
        return "the service's answer is not an object"
    if "error" in page:
        return f"the service answered with an error: {json_parts.dumps(page['error'])[:200].decode()}"
    if not isinstance(page.get("features"), list):
        return "the service's answer has no features"
    return None


def number_of(attributes: Mapping[str, Any], names: Any) -> str:
    """Return the one configured attribute, or a stable hash of several. Raises Unfit when none of them is there."""
    names = [names] if isinstance(names, str) else names
    values = [attributes.get(str(name)) for name in names] if isinstance(names, list) else []
    if all(value is None or value == "" for value in values):
        raise Unfit("missing_identity", "none of the attributes of number_from is there")
    if len(values) == 1:
        return identity_of(values[0], "number")
    return sha256(json_parts.dumps(values)).hexdigest()[:16]


def place_of(feature: Mapping[str, Any], attributes: Mapping[str, Any], fields: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return lon and lat as they came, None for both when there are none or zeros stand for none."""
    if "lon" in fields and "lat" in fields:
        lon, lat = attributes.get(str(fields["lon"])), attributes.get(str(fields["lat"]))
    else:
        geometry = inner(feature, "geometry")
        lon, lat = geometry.get("x"), geometry.get("y")
    return (None, None) if not lon or not lat else (lon, lat)


@dataclass(frozen=True)
class Board:
    """One poll being read: its time and the source's mapping."""

    polled_us: int
    fields: Mapping[str, Any]
    separator: str | None

    def number(self, feature: Any) -> str:
        attributes = inner(feature, "attributes") if isinstance(feature, dict) else {}
        return number_of(attributes, self.fields.get("number_from"))

    def call(self, feature: Mapping[str, Any], number: str) -> Item:
        attributes = inner(feature, "attributes")
        units = attributes.get(str(self.fields["units"])) or "" if "units" in self.fields else None
        lon, lat = place_of(feature, attributes, self.fields)
        told = {field: attributes.get(str(self.fields[field])) for field in PLAIN if field in self.fields}
        told |= {"number": number, "lon": lon, "lat": lat, "units": units, "time": self.polled_us / 1e6}
        told |= {"sequence": self.polled_us, "state": "waiting" if units == "" else "active"}
        return call_from(told, separator=self.separator)


def several(number: str, seen: Mapping[str, int]) -> str:
    """Return a number of its own for features that share one in the same answer."""
    return number if number not in seen else f"{number}#{seen[number] + 1}"


def read_features(board: Board, features: Sequence[Any]) -> tuple[list[Item], list[str], bool]:
    """Return an item for each feature, the numbers that are on the board, and whether every feature told its number."""
    items: list[Item] = []
    present: list[str] = []
    seen: dict[str, int] = {}
    whole = True
    for feature in features:
        try:
            base = board.number(feature)
        except Unfit as unfit:
            items.append(Rejected(unfit.reason, unfit.detail, json_parts.dumps(feature)))
            whole = False
            continue
        number = several(base, seen)
        seen[base] = seen.get(base, 0) + 1
        present.append(number)
        items.append(read_one(feature, lambda value, number=number: board.call(value, number)))  # type: ignore[misc]
    return items, present, whole


class ArcGis:
    name = "arcgis"
    content_types = frozenset({"application/json", "text/plain"})

    def parse(self, payload: bytes, *, received_at: datetime, settings: Settings) -> Sequence[Item]:
        poll = poll_of(payload, received_at)
        problems = [problem for page in poll.pages if (problem := problem_of(page))]
        if len(problems) == len(poll.pages):
            raise Unreadable(problems[0])
        fields, separator = settings.get("fields"), settings.get("units_separator", ",")
        board = Board(poll.polled_us, fields if isinstance(fields, dict) else {}, str(separator) if separator else None)
        features = [feature for page in poll.pages if not problem_of(page) for feature in page["features"]]
        items, present, whole = read_features(board, features)
        if problems:
            return [*items, *(Rejected("unparsable", problem, payload[:400]) for problem in problems)]
        if whole and not poll.pages[-1].get("exceededTransferLimit"):
            items.append(BoardPoll(-1, poll.polled_us, tuple(present)))
        return items

    def parts(self, payload: bytes, settings: Settings) -> Sequence[bytes]:
        pages = json_parts.loads(payload)
        pages = pages.get("pages", [pages])
        return [json_parts.dumps(feature) for page in pages if not problem_of(page) for feature in page["features"]]
