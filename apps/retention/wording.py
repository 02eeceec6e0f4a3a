"""Durations and counts in words, and words as durations."""

import re
from datetime import timedelta

UNITS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hour": 3600, "d": 86_400, "day": 86_400, "week": 604_800, "year": 31_536_000}


class NotADuration(ValueError):
    """The text is no duration such as "90 days"."""


def duration(keep: timedelta) -> str:
    """Return "3 years", "90 days" or "36 hours": the largest unit that it is a whole number of, years from two on. Zero: what is kept
    only until it ends."""
    seconds = round(keep.total_seconds())
    if not seconds:
        return "until they end"
    for name, least in (("year", 2), ("day", 1), ("hour", 1), ("min", 1)):
        if seconds % UNITS[name] == 0 and seconds // UNITS[name] >= least:
            count = seconds // UNITS[name]
            return f"{count} {name}{'s' if count != 1 and name != 'min' else ''}"
    return f"{seconds} s"


def read_duration(text: str) -> timedelta:
    """Read "90 days", "90d", "36 hours" or "3 years" (of 365 days). Raises NotADuration."""
    match = re.fullmatch(r"\s*(\d{1,6})\s*([a-z]+?)s?\s*", text.lower())
    if not match or match[2] not in UNITS:
        raise NotADuration(f'keep: "{text.strip()[:40]}" is no duration; write it as "90 days", "36 hours" or "3 years"')
    return timedelta(seconds=int(match[1]) * UNITS[match[2]])
