"""Calls as our own JSON: {"calls": [{"number", "time", "state", …}]}."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.ingest.adapters import json_parts
from apps.ingest.adapters.contract import Item, Settings, Unreadable
from apps.ingest.adapters.each import an_object, read_each
from apps.ingest.adapters.fields import call_from


def calls(payload: bytes) -> list[Any]:
    """Raises Unreadable."""
    whole = json_parts.loads(payload)
    if not isinstance(whole, dict) or not isinstance(whole.get("calls"), list):
        raise Unreadable('expected an object with a list "calls"')
    found: list[Any] = whole["calls"]
    return found


def read(value: Any) -> Item:
    return call_from(an_object(value, "a call"))


class CallsJson:
    name = "calls_json"
    content_types = frozenset({"application/json"})

    def parse(self, payload: bytes, *, received_at: datetime, settings: Settings) -> Sequence[Item]:
        return read_each(calls(payload), read)

    def parts(self, payload: bytes, settings: Settings) -> Sequence[bytes]:
        return json_parts.member(payload, "calls")
