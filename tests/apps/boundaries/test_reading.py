"""Boundary files as cities publish them."""

import gzip
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pyogrio.raw
import pytest
import shapely

from apps.boundaries.reading import Area, BadArea, UnreadableBoundaries, read

SQUARE = shapely.box(-96, 29, -95, 30)


def geojson(folder: Path, *features: tuple[dict[str, Any], Any], name: str = "beats.geojson") -> Path:
    body = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": facts, "geometry": shape} for facts, shape in features],
    }
    file = folder / name
    file.write_text(json.dumps(body))
    return file


def mapping(shape: shapely.Geometry) -> Any:
    return json.loads(shapely.to_geojson(shape))


def write_shapefile(folder: Path, shape: shapely.Geometry, crs: str | None) -> Path:
    """Make a zipped shapefile of one beat, code 12."""
    loose = folder / "beats.shp"
    pyogrio.raw.write(
        loose, np.array([shapely.to_wkb(shape)], dtype=object), [np.array(["12"], dtype=object)], fields=["BEAT"], crs=crs,
        geometry_type="Polygon", driver="ESRI Shapefile",
    )  # fmt: skip
    packed = folder / "beats.zip"
    with ZipFile(packed, "w") as archive:
        for part in folder.glob("beats.*"):
            if part != packed:
                archive.write(part, part.name)
    return packed


def test_it_reads_geojson(tmp_path: Path) -> None:
    file = geojson(tmp_path, ({"beat": "12", "title": "Harbor"}, mapping(SQUARE)))
    (area,) = read(file, code_field="beat", name_field="title")
    assert isinstance(area, Area)
    assert (area.code, area.name) == ("12", "Harbor")
    assert area.shape.equals(shapely.MultiPolygon([SQUARE]))


def test_it_reads_gzipped_geojson(tmp_path: Path) -> None:
    plain = geojson(tmp_path, ({"beat": 12}, mapping(SQUARE)))
    packed = tmp_path / "beats.geojson.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    (area,) = read(packed, code_field="beat", name_field=None)
    assert isinstance(area, Area)
    assert (area.code, area.name) == ("12", "12")


def test_it_reads_a_zipped_shapefile_and_reprojects_it(tmp_path: Path) -> None:
    """EPSG:32615 is UTM zone 15N: its central meridian, 93 degrees west, is easting 500,000 m."""
    file = write_shapefile(tmp_path, shapely.box(500_000, 3_200_000, 500_100, 3_200_100), "EPSG:32615")
    (area,) = read(file, code_field="BEAT", name_field=None)
    assert isinstance(area, Area)
    west, south, east, north = area.shape.bounds
    assert west == pytest.approx(-93, abs=1e-6)
    assert 28.9 < south < north < 29.0
    assert -93 < east < -92.99


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_shapefile_without_its_reference_system_is_refused(tmp_path: Path) -> None:
    file = write_shapefile(tmp_path, SQUARE, None)
    with pytest.raises(UnreadableBoundaries, match="reference system"):
        list(read(file, code_field="BEAT", name_field=None))


def test_it_reads_esri_json(tmp_path: Path) -> None:
    body = {
        "geometryType": "esriGeometryPolygon",
        "spatialReference": {"wkid": 4326},
        "fields": [{"name": "BEAT", "type": "esriFieldTypeString", "length": 8}],
        "features": [{"attributes": {"BEAT": "12"}, "geometry": {"rings": [[[-96, 29], [-96, 30], [-95, 30], [-95, 29], [-96, 29]]]}}],
    }
    file = tmp_path / "beats.json"
    file.write_text(json.dumps(body))
    (area,) = read(file, code_field="BEAT", name_field=None)
    assert isinstance(area, Area)
    assert area.shape.area == pytest.approx(1)


def test_a_bow_tie_becomes_valid(tmp_path: Path) -> None:
    bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    (area,) = read(geojson(tmp_path, ({"beat": "1"}, mapping(bow_tie))), code_field="beat", name_field=None)
    assert isinstance(area, Area)
    assert area.shape.is_valid
    assert len(area.shape.geoms) == 2


def test_what_is_no_area_is_refused_by_name(tmp_path: Path) -> None:
    file = geojson(
        tmp_path,
        ({"beat": "1"}, None),
        ({"beat": "2"}, mapping(shapely.LineString([(0, 0), (1, 1)]))),
        ({"beat": ""}, mapping(SQUARE)),
        ({"beat": None}, mapping(SQUARE)),
        ({"beat": "x" * 41}, mapping(SQUARE)),
        ({"beat": "6"}, mapping(shapely.box(500_000, 0, 500_001, 1))),
        ({"beat": "7"}, mapping(SQUARE)),
    )
    parts = list(read(file, code_field="beat", name_field=None))
    assert [part.code for part in parts if isinstance(part, Area)] == ["7"]
    reasons = [part.reason for part in parts if isinstance(part, BadArea)]
    assert reasons == [
        "it has no shape",
        "its shape is a LineString, not an area",
        "it has no code",
        "it has no code",
        "its code is longer than 40 characters",
        "it lies outside the earth's degrees",
    ]


def test_a_missing_field_is_named_with_those_there_are(tmp_path: Path) -> None:
    file = geojson(tmp_path, ({"beat": "1"}, mapping(SQUARE)))
    with pytest.raises(UnreadableBoundaries, match="no field BEAT_NO; it has beat"):
        list(read(file, code_field="BEAT_NO", name_field=None))


@pytest.mark.parametrize("content", [b"", b"{", b"\x00\xff", b'{"type": "FeatureCollection"'])
def test_what_is_no_map_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "beats.geojson"
    file.write_bytes(content)
    with pytest.raises(UnreadableBoundaries):
        list(read(file, code_field="beat", name_field=None))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for name in ("beats.geojson", "beats.geojson.gz", "beats.zip"):
        with pytest.raises(UnreadableBoundaries, match=name):
            list(read(tmp_path / name, code_field="beat", name_field=None))


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("name", "code_field", "name_field", "codes"),
    [
        ("chicago_police_beats.geojson.gz", "District", None, 277),
        ("chicago_police_districts.geojson.gz", "District", None, 25),
        ("charlottesville_police_districts.esri.json", "BEAT_NO", "NAME", 33),
    ],
)
def test_it_reads_what_cities_publish(recorded: Path, name: str, code_field: str, name_field: str | None, codes: int) -> None:
    parts = list(read(recorded / "boundaries" / name, code_field=code_field, name_field=name_field))
    assert len(parts) == codes
    assert all(isinstance(part, Area) and part.shape.is_valid for part in parts)
