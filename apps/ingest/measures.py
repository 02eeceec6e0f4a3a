"""Turn what senders write for a measure or a time into ours, or into "not known"."""

import math
from datetime import UTC, datetime
from typing import Any

EPOCH_LIMIT_S = 32_503_680_000  # the year 3000: a larger number is milliseconds
KNOT_MPS = 1852 / 3600
KMH_MPS = 1 / 3.6


def number(value: Any) -> float | None:
    """Return a float, NaN for what is there and is no number, None for what is not there."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def between(value: float | None, low: float, high: float, scale: float = 1.0) -> float | None:
    """Return value * scale, or None when it is not a number in [low, high]: a fix is not lost for a bad speed."""
    if value is None or not low <= value * scale <= high:
        return None
    return value * scale


def speed(value: Any, scale: float = 1.0) -> float | None:
    return between(number(value), 0, 3_000, scale)


def accuracy(value: Any) -> float | None:
    return between(number(value), 0, 10_000_000)


def altitude(value: Any) -> float | None:
    return between(number(value), -20_000, 1_000_000)


def heading(value: Any) -> float | None:
    """Return degrees in [0, 360); a negative one is "not known" (the convention of phones)."""
    degrees = between(number(value), 0, 360)
    return None if degrees is None else degrees % 360


def microseconds_of(value: Any) -> int | None:
    """Read a time: ISO 8601 with a zone, or seconds or milliseconds since 1970. None when it cannot be read."""
    if isinstance(value, datetime):
        return round(value.timestamp() * 1e6) if value.tzinfo else None
    if isinstance(value, str) and ("-" in value[1:] or ":" in value):
        return iso_microseconds(value)
    seconds = number(value)
    if seconds is None or not 0 <= seconds < EPOCH_LIMIT_S * 1000:
        return None
    return round(seconds * (1e6 if seconds < EPOCH_LIMIT_S else 1e3))


def iso_microseconds(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.strip())
        return round(moment.astimezone(UTC).timestamp() * 1e6) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
