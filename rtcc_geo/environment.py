"""Read the instance's environment; say which variable is wrong and why."""

import os
import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit


class BadSetting(Exception):
    """A variable of the environment is missing or unusable."""


UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise BadSetting(f"{name} is not set. Start processes with ./rtcc, or see docs/interfaces.md.")
    return value


def optional(name: str) -> str | None:
    return os.environ.get(name) or None


def duration(name: str, default: str) -> timedelta:
    """Read a duration such as "90d", "30 min" or "45s"."""
    value = os.environ.get(name, default)
    match = re.fullmatch(r"(\d+)\s*(s|min|h|d)", value)
    if not match:
        raise BadSetting(f'{name} is "{value}", expected a duration such as "{default}"')
    return timedelta(seconds=int(match[1]) * UNITS[match[2]])


@dataclass(frozen=True)
class Origin:
    """Where browsers reach the server."""

    url: str
    host: str


def origin(name: str) -> Origin:
    value = required(name).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadSetting(f'{name} is "{value}", expected an address such as "http://localhost:8080"')
    return Origin(url=value, host=parts.hostname)
