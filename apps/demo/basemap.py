"""The town as a base map: GeoJSON with `name` and `class` of every street and area."""

import json
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from apps.demo.town import areas, blocks, in_degrees


def feature(name: str, kind: str, geometry: BaseGeometry) -> dict[str, Any]:
    rounded = shapely.set_precision(in_degrees(geometry), 1e-6)
    return {"type": "Feature", "properties": {"name": name, "class": kind}, "geometry": json.loads(shapely.to_geojson(rounded))}


def street_lines() -> list[tuple[str, str, BaseGeometry]]:
    """Return the blocks joined to lines that are as long as they go on."""
    named: dict[tuple[str, str], list[BaseGeometry]] = {}
    for block in blocks():
        named.setdefault((block.name, block.kind), []).append(block.line)
    joined = [(key, shapely.get_parts(shapely.line_merge(shapely.union_all(lines)))) for key, lines in named.items()]
    return [(name, kind, line) for (name, kind), lines in joined for line in lines]


def features() -> list[dict[str, Any]]:
    """Return areas first, so that streets are drawn over them."""
    streets = [feature(name, kind, line) for name, kind, line in street_lines()]
    return [feature(area.name, area.kind, area.polygon) for area in areas()] + streets


def write_features(path: Path, found: list[dict[str, Any]]) -> None:
    """Write a GeoJSON file as a whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"type": "FeatureCollection", "features": found}, separators=(",", ":")))
    part.replace(path)


def write(path: Path) -> None:
    write_features(path, features())
