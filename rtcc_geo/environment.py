"""Read the instance's environment; say which variable is wrong and why."""

import os
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit


class BadSetting(Exception):
    """A variable of the environment is missing or unusable."""


UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def required(name: str) -> str:
    """Return a variable, or what stands in the file that NAME_FILE names. Raises BadSetting."""
    value = optional(name)
    if not value:
        raise BadSetting(f"{name} is not set. Start processes with ./rtcc, or see docs/interfaces.md.")
    return value


def optional(name: str, default: str | None = None) -> str | None:
    """Like required; `default` when neither is set. A file keeps a secret out of what shows a process's environment."""
    place = os.environ.get(f"{name}_FILE", "")
    if place and os.environ.get(name):
        raise BadSetting(f"{name} and {name}_FILE are both set; keep one")
    if not place:
        return os.environ.get(name) or default
    try:
        value = Path(place).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f'{name}_FILE is "{place}", which cannot be read: {error}') from error
    if not value:
        raise BadSetting(f'{name}_FILE is "{place}", which is empty')
    return value


def several(name: str) -> list[str]:
    """Return the values that stand in a variable, or in the file that NAME_FILE names, with commas or line ends between them."""
    return re.split(r"[,\s]+", given.strip(" ,")) if (given := optional(name)) else []


def choice(name: str, words: tuple[str, ...]) -> str:
    """Return one of the words; the first when the variable is not set."""
    value = os.environ.get(name) or words[0]
    if value not in words:
        raise BadSetting(f'{name} is "{value}", expected one of: {", ".join(words)}')
    return value


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
