"""What anyone who asks over HTTP may rely on, at every address of the REST surface."""

from datetime import timedelta
from gzip import decompress
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import Agency
from apps.ingest.models import Source
from apps.layers.parameters import FEATURES
from apps.layers.registry import catalog
from apps.layers.tile_parameters import TIMES, names_of
from tests.world import NOON, make_agency, make_instance, make_member, make_source, say, signed_in

pytestmark = pytest.mark.django_db
TILE = "/api/layers/calls/tiles/0/0/0.mvt"
ADDRESSES = (
    "/api/layers/", "/api/layers/calls/features", "/api/boards/calls", "/api/layers/calls/tiles.json", "/api/layers/calls/style.json", TILE
)  # fmt: skip
FORMS = {"features": "application/geo+json", "0.mvt": "application/vnd.mapbox-vector-tile"}

NOWHERE = (
    "/api/", "/api/nowhere", "/api/boards/calls/", "/api/layers/calls/features/", "/api/layers/a b/features", "/api/layers/%00/features",
)  # fmt: skip


@pytest.fixture
def agency() -> Agency:
    make_instance()
    return make_agency()


@pytest.fixture
def cad(agency: Agency) -> Source:
    return make_source(agency)


@pytest.fixture
def client(agency: Agency) -> Client:
    return signed_in(make_member(agency))


def refused(response: Any, status: int, error: str) -> str:
    """Return the sentence of a refusal, after checking its shape."""
    assert (response.status_code, response["Content-Type"]) == (status, "application/json"), response.content
    body = response.json()
    assert (set(body), body["error"]) == ({"error", "detail"}, error)
    return str(body["detail"])


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
def test_another_method_is_a_405_that_says_what_is_allowed(client: Client, path: str, method: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    for who in (client, strict, Client()):
        response = getattr(who, method)(path)
        refused(response, 405, "method_not_allowed")
        assert response["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ADDRESSES)
def test_head_is_get_without_its_body(client: Client, cad: Source, path: str) -> None:
    say(cad, "H-1", at=NOON)
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert (head["Content-Type"], head["Content-Length"]) == (whole["Content-Type"], whole["Content-Length"])


@pytest.mark.parametrize("path", ADDRESSES)
def test_options_says_what_is_allowed(client: Client, path: str) -> None:
    response = client.options(path)
    assert (response.status_code, response["Allow"]) == (200, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("accept", ["application/geo+json", "application/json", "text/html", "*/*", "nonsense"])
def test_an_answer_comes_in_its_one_form_whatever_is_accepted(client: Client, path: str, accept: str) -> None:
    form = FORMS.get(path.rpartition("/")[2], "application/json")
    response = client.get(path, headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, form)


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize(("query", "said"), [("colour=red", 'colour is "red", expected'), ("format=csv", 'format is "csv", expected')])
def test_a_parameter_that_there_is_not_is_named(client: Client, path: str, query: str, said: str) -> None:
    assert refused(client.get(f"{path}?{query}"), 400, "bad_parameter").startswith(said)


@pytest.mark.parametrize("path", ADDRESSES[1:])
def test_a_parameter_given_twice_is_named(client: Client, path: str) -> None:
    query = "at=2026-03-01T12:00:00Z&at=2026-03-02T12:00:00Z"
    assert refused(client.get(f"{path}?{query}"), 400, "bad_parameter").endswith("expected one value")


def test_the_cursor_of_a_past_page_does_not_go_on_in_the_present(client: Client, cad: Source) -> None:
    for number in range(3):
        say(cad, f"H-{number}", at=NOON)
    path, past = "/api/layers/calls/features", {"at": (NOON + timedelta(hours=1)).isoformat()}
    then, now = (client.get(path, {"limit": 1, **query}).json()["next"] for query in (past, {}))
    assert client.get(path, {"cursor": then, **past}).json()["features"][0]["properties"]["number"] == "H-1"
    assert client.get(path, {"cursor": now}).json()["features"][0]["properties"]["number"] == "H-1"
    assert "that page was of the past" in refused(client.get(path, {"cursor": then}), 400, "bad_parameter")
    assert "that page was of the present" in refused(client.get(path, {"cursor": now, **past}), 400, "bad_parameter")


@pytest.mark.parametrize("path", [*ADDRESSES, "/api/schema/", "/api/nowhere"])
def test_no_cache_keeps_what_rights_gave(client: Client, path: str) -> None:
    """The browser's own keeps a tile, and asks each time whether it still holds."""
    assert client.get(path)["Cache-Control"] == ("private, no-cache" if path == TILE else "private, no-store")
    assert Client().get(path)["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_401_says_how_to_sign_in_and_no_browser_asks_for_a_password(path: str) -> None:
    response = Client().get(path)
    refused(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Cookie ")


@pytest.mark.parametrize("path", NOWHERE)
def test_an_address_that_there_is_not_is_told_in_json(client: Client, path: str) -> None:
    for who in (client, Client()):
        assert refused(who.get(path), 404, "not_found").startswith("there is nothing at /api/")


def test_a_page_that_there_is_not_is_a_page(client: Client) -> None:
    response = client.get("/nowhere")
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_another_host_and_too_many_parameters_are_told_in_json(client: Client) -> None:
    refused(client.get("/api/layers/", headers={"Host": "evil.example"}), 400, "bad_request")
    refused(client.get("/api/layers/?" + "&".join(f"a{number}=1" for number in range(1500))), 400, "bad_request")


def test_a_fault_of_ours_is_told_in_json(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("apps.layers.views.visible_layers")
    client.raise_request_exception = False
    assert "log" in refused(client.get("/api/layers/"), 500, "server_error")


def test_a_long_answer_is_compressed_for_who_asks(client: Client, cad: Source) -> None:
    for number in range(20):
        say(cad, f"H-{number}", at=NOON)
    plain = client.get("/api/boards/calls")
    packed = client.get("/api/boards/calls", headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert "Cookie" in packed["Vary"]
    assert decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 3


def test_a_page_with_a_token_is_not_compressed(client: Client) -> None:
    assert "Content-Encoding" not in Client().get("/accounts/login/", headers={"Accept-Encoding": "gzip"})


def test_the_base_map_is_compressed_and_still_known_by_its_tag(client: Client, settings: Any, tmp_path: Any) -> None:
    settings.STATE_FOLDER = tmp_path
    (tmp_path / "basemap.geojson").write_text('{"type": "FeatureCollection", "features": [' + ", ".join(["[]"] * 500) + "]}")
    first = client.get("/basemap.geojson", headers={"Accept-Encoding": "gzip"})
    assert (first["Content-Encoding"], first["Cache-Control"]) == ("gzip", "private, no-cache")
    again = client.get("/basemap.geojson", headers={"Accept-Encoding": "gzip", "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_schema_names_every_parameter_form_and_refusal() -> None:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    taken = {"/api/layers/": (), "/api/layers/{name}/features": (*FEATURES, "token"), "/api/boards/calls": ("at", "known", "why")}
    tiles = {name for layer in catalog().values() for name in names_of(layer)}
    taken |= {f"/api/layers/{{name}}/{end}": tuple(tiles) for end in ("tiles/{z}/{x}/{y}.mvt", "tiles.json", "style.json")}
    for path, names in taken.items():
        answers = paths[path]["get"]["responses"]
        listed = {one["name"] for one in paths[path]["get"].get("parameters", []) if one["in"] == "query"}
        assert listed == set(names)
        assert {"200", "400", "401", "405"} <= set(answers)
        form = FORMS["0.mvt"] if path.endswith(".mvt") else FORMS.get(path.rpartition("/")[2], "application/json")
        assert list(answers["200"]["content"]) == [form]


KNOWN = ("", "0", "-1", "9" * 25, "1,2,3,4", "180,-90,-180,90", "2026-03-01T12:00:00Z", "9999-12-31T23:59:59-14:00", "7.9", "9", "metro")
words = st.one_of(st.text(max_size=20), st.sampled_from(KNOWN))
NAMES = sorted({*FEATURES, *TIMES, "format", "rank", "type", "code"})
queries = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), st.text(max_size=5)), words), max_size=4)
OTHERS = [f"/api/layers/{layer}/{end}" for layer in ("units", "fences", "boundaries") for end in ("features", "tiles/9/117/211.mvt")]
places = st.sampled_from([*ADDRESSES, *OTHERS])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(path=places, query=queries)
def test_no_query_makes_the_server_fail(client: Client, path: str, query: list[tuple[str, str]]) -> None:
    response = client.get(f"{path}?{urlencode(query, errors='surrogatepass')}")
    assert response.status_code in (200, 400, 404)
    assert response.status_code == 200 or set(response.json()) == {"error", "detail"}
