"""Describe a layer's tiles to map programs: TileJSON, and a MapLibre style that needs nothing else."""

from typing import Any

from apps.geo.tile_address import MOST_ZOOM
from apps.layers.definition import Layer

COUNTED = ["has", "count"]
COLORS = {"units": "#4cc2ff", "calls": "#ffb02e", "fences": "#ff5a5f", "boundaries": "#9aa4b2"}
PLAIN_COLOR = "#c678dd"
RANKS = ["match", ["get", "rank"], 0, "#ff5a5f", 1, "#ffb02e", 2, "#ffd166", "#9aa4b2"]


def template(tiles: str, query: str) -> str:
    """Return the address of any tile. `tiles` is the absolute address of the layer's tiles, `query` what its tiles are asked with."""
    return f"{tiles}/{{z}}/{{x}}/{{y}}.mvt" + (f"?{query}" if query else "")


def tilejson(layer: Layer, tiles: str, query: str) -> dict[str, Any]:
    fields = {**layer.tiling.fields, "cell": "H3 cell, where features are told by their number", "count": "how many features it stands for"}
    return {
        "tilejson": "3.0.0",
        "name": layer.title,
        "scheme": "xyz",
        "tiles": [template(tiles, query)],
        "minzoom": 0,
        "maxzoom": MOST_ZOOM,
        "vector_layers": [{"id": layer.name, "description": layer.title, "minzoom": 0, "maxzoom": MOST_ZOOM, "fields": fields}],
    }


def style(layer: Layer, tiles: str, query: str) -> dict[str, Any]:
    """Return a style whose circles grow with their count; numbers are told by the attribute, since text would need fonts from elsewhere."""
    color = COLORS.get(layer.name, PLAIN_COLOR)
    source = {"type": "vector", "tiles": [template(tiles, query)], "minzoom": 0, "maxzoom": MOST_ZOOM}
    return {
        "version": 8,
        "name": f"RTCC Geo: {layer.title}",
        "sources": {layer.name: source},
        "layers": [*(_areas(layer, color) if layer.tiling.geometry == "area" else []), _points(layer, color), _cells(layer, color)],
    }


def _drawn(layer: Layer, part: str, kind: str, paint: dict[str, Any], filter: list[Any]) -> dict[str, Any]:
    return {"id": f"{layer.name}-{part}", "type": kind, "source": layer.name, "source-layer": layer.name, "filter": filter, "paint": paint}


def _areas(layer: Layer, color: str) -> list[dict[str, Any]]:
    areas = ["==", ["geometry-type"], "Polygon"]
    return [
        _drawn(layer, "fill", "fill", {"fill-color": color, "fill-opacity": 0.15}, areas),
        _drawn(layer, "line", "line", {"line-color": color, "line-width": 1.5}, areas),
    ]


def _points(layer: Layer, color: str) -> dict[str, Any]:
    paint = {"circle-color": RANKS if "rank" in layer.tiling.fields else color, "circle-radius": 5}
    paint |= {"circle-stroke-color": "#10151c", "circle-stroke-width": 1}
    return _drawn(layer, "points", "circle", paint, ["all", ["==", ["geometry-type"], "Point"], ["!", COUNTED]])


def _cells(layer: Layer, color: str) -> dict[str, Any]:
    radius = ["interpolate", ["linear"], ["ln", ["get", "count"]], 0, 3, 5, 9, 10, 22]
    paint = {"circle-color": color, "circle-opacity": 0.7, "circle-radius": radius}
    return _drawn(layer, "cells", "circle", paint, COUNTED)
