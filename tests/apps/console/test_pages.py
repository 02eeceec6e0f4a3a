"""The map page and its base map."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.console import views
from apps.console.client import ClientNotBuilt, Entry, read_entry
from tests.world import make_administrator, make_agency, make_member, signed_in

MANIFEST = {
    "src/main.ts": {"file": "assets/main-1.js", "name": "main", "src": "src/main.ts", "isEntry": True, "css": ["assets/main-2.css"]},
    "_shared.js": {"file": "assets/shared-3.js"},
}


def build(folder: Path, manifest: Any = MANIFEST) -> Path:
    (folder / "static" / "dist" / ".vite").mkdir(parents=True)
    (folder / "static" / "dist" / ".vite" / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def client(db: None) -> Client:
    return signed_in(make_member(make_agency()))


def test_the_entry_names_what_the_page_loads(tmp_path: Path) -> None:
    assert read_entry(build(tmp_path) / "static" / "dist") == Entry("/static/assets/main-1.js", ("/static/assets/main-2.css",))


def test_a_manifest_without_entry_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClientNotBuilt, match="names no entry"):
        read_entry(build(tmp_path, {"_shared.js": {"file": "x.js"}}) / "static" / "dist")


@pytest.mark.django_db
def test_who_is_not_signed_in_is_sent_to_sign_in() -> None:
    for path in ("/", "/basemap.geojson"):
        response = Client().get(path)
        assert response.status_code == 302
        assert response["Location"] == f"/accounts/login/?next={path}"


def test_the_map_page_loads_the_built_client(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = build(tmp_path)
    response = client.get("/")
    assert response.status_code == 200
    page = response.content.decode()
    assert "/static/assets/main-1.js" in page
    assert "/static/assets/main-2.css" in page


def test_the_map_page_names_the_administration_only_to_who_may_use_it(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = build(tmp_path)
    administrator = signed_in(make_administrator())
    assert b'data-admin="/admin/"' in administrator.get("/").content
    assert b"data-admin" not in client.get("/").content


def test_the_map_page_names_the_streets_only_when_there_are_some(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR, settings.STATE_FOLDER = build(tmp_path), tmp_path
    assert b"data-streets" not in client.get("/").content
    (tmp_path / "basemap.geojson").write_text("{}")
    assert b'data-streets="/basemap.geojson"' in client.get("/").content


def test_a_client_that_is_not_built_is_said_clearly(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    response = client.get("/")
    assert response.status_code == 503
    assert "./rtcc up" in response.content.decode()


def test_the_base_map_is_sent_once(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.STATE_FOLDER = tmp_path
    views.basemap_file().write_text('{"type": "FeatureCollection", "features": []}')
    first = client.get("/basemap.geojson")
    assert first.json() == {"type": "FeatureCollection", "features": []}
    assert first["Content-Type"] == "application/geo+json"
    again = client.get("/basemap.geojson", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    views.basemap_file().write_text('{"type": "FeatureCollection", "features": [1]}')
    assert client.get("/basemap.geojson", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_no_base_map_is_a_404(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.STATE_FOLDER = tmp_path
    assert client.get("/basemap.geojson").status_code == 404
