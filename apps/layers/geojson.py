"""Encode features as GeoJSON (RFC 7946)."""

from typing import Any

import orjson

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def encoded(text: str | bytes) -> orjson.Fragment:
    """Return JSON that is encoded already (PostGIS's ST_AsGeoJSON), to be put in as it is."""
    return orjson.Fragment(text)


def point(lon: float | None, lat: float | None) -> dict[str, Any] | None:
    """Return a Point of WGS 84 degrees, or None for what has no place."""
    if lon is None or lat is None:
        return None
    return {"type": "Point", "coordinates": [round(lon, 7), round(lat, 7)]}


def encode_feature(id: int, geometry: object, properties: dict[str, Any]) -> bytes:
    """Return a Feature. `geometry` is a mapping, an `encoded` text or None; times are aware datetimes in UTC."""
    return orjson.dumps({"type": "Feature", "id": id, "geometry": geometry, "properties": properties}, option=OPTIONS)
