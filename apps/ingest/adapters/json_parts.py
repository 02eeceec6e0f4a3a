"""Cut a JSON post into its parts, forgiving what other software really writes (NaN and Infinity)."""

import json
from typing import Any

import msgspec

from apps.ingest.adapters.contract import Unreadable

RAW = msgspec.json.Decoder(msgspec.Raw)


def loads(payload: bytes) -> Any:
    """Read JSON that may hold NaN or Infinity. Raises Unreadable."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error


def dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


def member(payload: bytes, name: str) -> list[bytes]:
    """Return the items of the list called `name` of a JSON object, each as the bytes that came. Raises Unreadable."""
    try:
        whole = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
        return [bytes(item) for item in msgspec.json.decode(whole[name], type=list[msgspec.Raw])]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, RecursionError):
        return loosely(payload, name)


def loosely(payload: bytes, name: str) -> list[bytes]:
    whole = loads(payload)
    if not isinstance(whole, dict) or not isinstance(whole.get(name), list):
        raise Unreadable(f'expected an object with a list "{name}"')
    return [dumps(item) for item in whole[name]]
