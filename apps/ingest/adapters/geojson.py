"""GeoJSON points as fixes: a Feature or a FeatureCollection, with a mapping of our fields to properties.

settings: {"properties": {"id": "unit", "time": "gps_time", "speed_mps": "spd", …}}; a field without an entry has its own name.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from apps.ingest import measures
from apps.ingest.adapters import json_parts
from apps.ingest.adapters.contract import Item, Settings, Unreadable
from apps.ingest.adapters.each import an_object, inner, read_each
from apps.ingest.adapters.fields import Unfit, fix_from

TEXTS = ("status", "call_sign", "name", "kind")


def features(payload: bytes) -> list[Any]:
    """Raises Unreadable."""
    whole = json_parts.loads(payload)
    kind = whole.get("type") if isinstance(whole, dict) else None
    if kind == "Feature":
        return [whole]
    if kind == "FeatureCollection" and isinstance(whole.get("features"), list):
        return list(whole["features"])
    raise Unreadable("expected a GeoJSON Feature or FeatureCollection")


def position(feature: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Return lon, lat and altitude (or None). Raises Unfit."""
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        raise Unfit("unknown_type", "only Point geometries are fixes")
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        raise Unfit("not_a_number", "a Point has two coordinates, lon and lat")
    return coordinates[0], coordinates[1], coordinates[2] if len(coordinates) > 2 else None


def read(value: Any, *, names: Mapping[str, Any]) -> Item:
    feature = an_object(value, "a feature")
    properties = inner(feature, "properties")
    lon, lat, altitude = position(feature)

    def named(field: str) -> Any:
        return properties.get(str(names.get(field, field)))

    return fix_from(
        identity=feature.get("id") if named("id") is None else named("id"),
        time=named("time"),
        lon=lon,
        lat=lat,
        speed_mps=measures.speed(named("speed_mps")),
        heading_deg=measures.heading(named("heading_deg")),
        accuracy_m=measures.accuracy(named("accuracy_m")),
        altitude_m=measures.altitude(named("altitude_m") if altitude is None else altitude),
        texts={field: named(field) for field in TEXTS},
    )


class GeoJson:
    name = "geojson"
    content_types = frozenset({"application/geo+json", "application/json", "application/vnd.geo+json"})

    def parse(self, payload: bytes, *, received_at: datetime, settings: Settings) -> Sequence[Item]:
        names = settings.get("properties")
        return read_each(features(payload), partial(read, names=names if isinstance(names, dict) else {}))

    def parts(self, payload: bytes, settings: Settings) -> Sequence[bytes]:
        return [json_parts.dumps(feature) for feature in features(payload)]
