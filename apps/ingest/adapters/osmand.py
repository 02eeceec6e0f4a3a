"""Traccar Client and OsmAnd: a query string (speed in knots), or since 2024 JSON with location.coords (speed in m/s)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from apps.ingest import measures
from apps.ingest.adapters import json_parts
from apps.ingest.adapters.contract import Item, Settings, Unreadable
from apps.ingest.adapters.each import an_object, inner, read_each
from apps.ingest.adapters.fields import Unfit, fix_from


def form(payload: bytes) -> dict[str, str]:
    """Read a query string. Raises Unreadable."""
    try:
        fields = dict(parse_qsl(payload.decode("utf-8", "replace"), max_num_fields=200))
    except ValueError as error:
        raise Unreadable(f"not a query string: {error}") from error
    if not fields:
        raise Unreadable("expected a query string such as id=…&lat=…&lon=…&timestamp=…, or JSON")
    return fields


def is_json(payload: bytes) -> bool:
    return payload.lstrip()[:1] == b"{"


def read_form(fields: Mapping[str, str]) -> Item:
    lat, _, lon = fields.get("location", "").partition(",")
    return fix_from(
        identity=fields.get("id") or fields.get("deviceid"),
        time=fields.get("timestamp"),
        lon=fields.get("lon", lon),
        lat=fields.get("lat", lat),
        speed_mps=measures.speed(fields.get("speed"), measures.KNOT_MPS),
        heading_deg=measures.heading(fields.get("bearing", fields.get("heading"))),
        accuracy_m=measures.accuracy(fields.get("accuracy")),
        altitude_m=measures.altitude(fields.get("altitude")),
        texts={},
    )


def locations(payload: bytes) -> list[dict[str, Any]]:
    """Return the device's locations, each with its device. Raises Unreadable."""
    whole = json_parts.loads(payload)
    found = whole.get("location") if isinstance(whole, dict) else None
    if not isinstance(found, dict | list):
        raise Unreadable('expected an object with "device_id" and "location"')
    each = found if isinstance(found, list) else [found]
    return [{"device_id": whole.get("device_id"), "location": location} for location in each]


def read_json(value: Any) -> Item:
    message = an_object(value, "a message")
    location = an_object(message.get("location"), "location")
    coords = inner(location, "coords")
    if not coords:
        raise Unfit("not_a_number", "location.coords is missing")
    return fix_from(
        identity=message.get("device_id"),
        time=location.get("timestamp"),
        lon=coords.get("longitude"),
        lat=coords.get("latitude"),
        speed_mps=measures.speed(coords.get("speed")),
        heading_deg=measures.heading(coords.get("heading")),
        accuracy_m=measures.accuracy(coords.get("accuracy")),
        altitude_m=measures.altitude(coords.get("altitude")),
        texts={},
    )


class OsmAnd:
    name = "osmand"
    content_types = frozenset({"application/json", "application/x-www-form-urlencoded", "text/plain"})

    def parse(self, payload: bytes, *, received_at: datetime, settings: Settings) -> Sequence[Item]:
        if is_json(payload):
            return read_each(locations(payload), read_json)
        return read_each([form(payload)], read_form)

    def parts(self, payload: bytes, settings: Settings) -> Sequence[bytes]:
        return [json_parts.dumps(location) for location in locations(payload)] if is_json(payload) else [payload]
