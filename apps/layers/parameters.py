"""Read the parameters of a request for features; a wrong one is named with what was expected."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from django.http import QueryDict

from apps.layers.queries import Wanted
from apps.layers.sensitive import LONGEST_WHY
from apps.layers.window import BBox

MOST = 5000
FEATURES = ("agency", "bbox", "at", "known", "limit", "cursor", "why")
LONGEST_ECHO = 100
NUMBER = re.compile(r"\s*[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?\s*", re.ASCII)
BIGGEST = 2**63 - 1


class BadParameter(ValueError):
    """A parameter of the request cannot be understood; the text names it and says what was expected."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        shown = value if len(value) <= LONGEST_ECHO else f"{value[:LONGEST_ECHO]}…"
        super().__init__(f'{name[:LONGEST_ECHO]} is "{shown}", expected {expected}')
        self.name = name


def require_known(query: QueryDict, names: Sequence[str]) -> None:
    """Raises BadParameter for a parameter that there is not, and for one that is given twice."""
    for name in sorted(query):
        values = query.getlist(name)
        if name not in names:
            raise BadParameter(name, values[0], f"one of {', '.join(names)}" if names else "no parameter")
        if len(values) > 1:
            raise BadParameter(name, ", ".join(values), "one value")


def read_wanted(query: Mapping[str, str]) -> Wanted:
    """Return what a query string of FEATURES asks for. Raises BadParameter."""
    at, known = read_time(query, "at"), read_time(query, "known")
    past = at is not None or known is not None
    return Wanted(
        agency=read_slug(query["agency"]) if "agency" in query else None,
        bbox=read_bbox(query["bbox"]) if "bbox" in query else None,
        at=at,
        known=known,
        after=read_cursor(query["cursor"], past=past) if "cursor" in query else (0, 0),
        limit=read_limit(query["limit"]) if "limit" in query else 1000,
        why=read_why(query["why"]) if "why" in query else "",
    )


def read_slug(text: str) -> str:
    if not re.fullmatch(r"[-a-zA-Z0-9_]{1,50}", text):
        raise BadParameter("agency", text, 'a slug such as "metro"')
    return text


def read_bbox(text: str) -> BBox:
    """Read west,south,east,north. West may be greater than east: the box then crosses the antimeridian."""
    wrong = BadParameter("bbox", text, 'west,south,east,north in degrees, such as "-95.8,29.5,-95.0,30.1"')
    parts = text.split(",")
    if not all(map(NUMBER.fullmatch, parts)):
        raise wrong
    try:
        west, south, east, north = map(float, parts)
    except ValueError as error:
        raise wrong from error
    if not all(map(math.isfinite, (west, south, east, north))) or max(abs(west), abs(east)) > 180 or not -90 <= south <= north <= 90:
        raise wrong
    return west, south, east, north


def read_time(query: Mapping[str, str], name: str) -> datetime | None:
    """Read an ISO 8601 time with its offset, in UTC; None when the parameter is missing."""
    if name not in query:
        return None
    wrong = BadParameter(name, query[name], 'a time with its offset, such as "2026-11-22T23:00:00Z"')
    try:
        time = datetime.fromisoformat(query[name].replace(" ", "+"))
        if time.tzinfo is None:
            raise wrong
        return time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise wrong from error


def read_limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MOST:
        raise BadParameter("limit", text, f"a number from 1 to {MOST}")
    return int(text)


def read_why(text: str) -> str:
    """Read the reason of a sensitive read: a sentence or a case number, kept as it is."""
    if not text.strip() or len(text) > LONGEST_WHY or not text.isprintable():
        raise BadParameter("why", text, f"a reason of 1 to {LONGEST_WHY} characters on one line")
    return text.strip()


def read_cursor(text: str, *, past: bool) -> tuple[int, int]:
    """Return the (rev, id) of the last feature that was got. A page of the past goes by id alone, one of the present does not:
    the cursor of one does not go on in the other."""
    match = re.fullmatch(r"(?:([0-9]{1,19})\.)?([0-9]{1,19})", text)
    expected = 'the "next" of the page before'
    if not match or max(int(match[1] or 0), int(match[2])) > BIGGEST:
        raise BadParameter("cursor", text, expected)
    if past and match[1] is not None:
        raise BadParameter("cursor", text, f"{expected}; that page was of the present, without at and known")
    if not past and match[1] is None:
        raise BadParameter("cursor", text, f"{expected}; that page was of the past, with its at and known")
    return int(match[1] or 0), int(match[2])


def write_cursor(after: tuple[int, int], *, past: bool) -> str:
    return str(after[1]) if past else f"{after[0]}.{after[1]}"
