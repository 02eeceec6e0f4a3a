"""Read boundary files as they come from a city's open data: GeoJSON, Esri JSON, shapefile in a zip, and each gzipped."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyogrio.raw
import shapely
from django.contrib.gis.gdal import CoordTransform, GDALException, OGRGeometry, SpatialReference
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError

LONGEST_CODE, LONGEST_NAME = 40, 120


class UnreadableBoundaries(ValueError):
    """The file is not of a kind that can be read, or lacks a field; the text says which."""


@dataclass(frozen=True)
class Area:
    """A district or beat: a valid MultiPolygon in WGS 84 degrees."""

    code: str
    name: str
    shape: shapely.MultiPolygon


@dataclass(frozen=True)
class BadArea:
    """A part of the file that is no area; `place` counts from 0 in the file."""

    place: int
    code: str
    reason: str


def read(path: Path, *, code_field: str, name_field: str | None) -> Iterator[Area | BadArea]:
    """Yield what the file's first layer holds, in its order. Raises UnreadableBoundaries."""
    fields = [code_field] + ([name_field] if name_field else [])
    meta, shapes, columns = _layer(path)
    missing = [field for field in fields if field not in meta["fields"]]
    if missing:
        raise UnreadableBoundaries(f"{path.name} has no field {missing[0]}; it has {', '.join(map(str, meta['fields']))}")
    values = [columns[list(meta["fields"]).index(field)] for field in fields]
    shapes = _to_wgs84(shapes, meta["crs"], path)
    for place, shape in enumerate(shapes):
        texts = [_text(column[place]) for column in values]
        yield _area(place, texts[0], texts[-1], shape)


def _layer(path: Path) -> tuple[dict[str, Any], NDArray[np.object_], list[NDArray[Any]]]:
    try:
        meta, _, wkb, columns = pyogrio.raw.read(_source(path), force_2d=True)
        return meta, shapely.from_wkb(wkb), columns
    except (DataSourceError, DataLayerError, OSError, shapely.errors.GEOSException) as error:
        raise UnreadableBoundaries(f"{path.name} cannot be read: {error}") from error


def _source(path: Path) -> str | bytes:
    """Return what GDAL opens: the bytes of a gzipped file, a path into a zip, else the path."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    return f"/vsizip/{path}" if path.suffix == ".zip" else str(path)


def _to_wgs84(shapes: NDArray[np.object_], crs: str | None, path: Path) -> NDArray[np.object_]:
    """Reproject. Raises UnreadableBoundaries when the file does not say its reference system or GDAL does not know it."""
    if crs is None:
        raise UnreadableBoundaries(f"{path.name} does not say its reference system (a shapefile needs its .prj)")
    if crs in ("EPSG:4326", "OGC:CRS84"):
        return shapes
    try:
        transform = CoordTransform(SpatialReference(crs), SpatialReference(4326))
        moved = [None if shape is None else _moved(shape, transform) for shape in shapes]
    except GDALException as error:
        raise UnreadableBoundaries(f"{path.name} is in {crs}, which cannot be reprojected: {error}") from error
    return np.array(moved, dtype=object)


def _moved(shape: shapely.Geometry, transform: CoordTransform) -> shapely.Geometry:
    geometry = OGRGeometry(memoryview(shapely.to_wkb(shape)))
    geometry.transform(transform)
    return shapely.from_wkb(bytes(geometry.wkb))


def _text(value: object) -> str:
    """Return a code or name as text: numbers that files keep as 12.0 lose their zero."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _area(place: int, code: str, name: str, shape: shapely.Geometry | None) -> Area | BadArea:
    if not code or len(code) > LONGEST_CODE:
        return BadArea(place, code, "it has no code" if not code else f"its code is longer than {LONGEST_CODE} characters")
    if shape is None or shape.is_empty:
        return BadArea(place, code, "it has no shape")
    polygons = _polygons(shapely.make_valid(shape))
    if polygons is None:
        return BadArea(place, code, f"its shape is a {shape.geom_type}, not an area")
    if not np.isfinite(polygons.bounds).all() or polygons.bounds[0] < -180 or polygons.bounds[2] > 180 or abs(polygons.centroid.y) > 90:
        return BadArea(place, code, "it lies outside the earth's degrees")
    return Area(code, name[:LONGEST_NAME], polygons)


def _polygons(shape: shapely.Geometry) -> shapely.MultiPolygon | None:
    """Return the parts that have an area; None when there are none."""
    parts = [part for part in shapely.get_parts(shapely.get_parts(shape)) if part.geom_type == "Polygon" and part.area > 0]
    return shapely.MultiPolygon(parts) if parts else None
