"""Read the parts of a post one by one: what one part lacks does not harm the others."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from apps.ingest.adapters import json_parts
from apps.ingest.adapters.contract import Item, Rejected
from apps.ingest.adapters.fields import Unfit


def read_each(values: Iterable[Any], read: Callable[[Any], Item]) -> list[Item]:
    """Return an item for each value; one that cannot be read becomes a reject with its bytes."""
    return [read_one(value, read) for value in values]


def read_one(value: Any, read: Callable[[Any], Item]) -> Item:
    try:
        return read(value)
    except Unfit as unfit:
        return Rejected(unfit.reason, unfit.detail, json_parts.dumps(value))


def an_object(value: Any, what: str) -> dict[str, Any]:
    """Raises Unfit."""
    if not isinstance(value, dict):
        raise Unfit("unparsable", f"{what} is an object")
    return value


def inner(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a member that is an object; anything else counts as empty."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}
