"""No bytes make an adapter raise anything but Unreadable; every part becomes an item, and parts() agrees."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.geo.clock import microseconds
from apps.ingest.adapters import ADAPTERS
from apps.ingest.adapters.contract import Unreadable
from apps.ingest.clock_error import ClockErrors
from apps.ingest.parcels import PreparedPost, Shards, new_receipt, prepare
from apps.ingest.screening import NOWHERE, Screen
from apps.ingest.statements import statement
from tests.apps.ingest.test_adapters import AT, BOARD, CALL, CSV, CSV_SETTINGS, FULL, LOCATION, feature

SETTINGS: dict[str, dict[str, Any]] = {"arcgis": BOARD, "calls_csv": CSV_SETTINGS}
leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from(["2026-11-22T23:00:00Z", "x" * 200])
value = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=5
)


def changed(good: dict[str, Any]) -> st.SearchStrategy[Any]:
    """A good part in which some fields were replaced by anything."""
    return st.dictionaries(st.sampled_from(sorted(good)), value, max_size=4).map(lambda change: {**good, **change})


def bodies(adapter: str) -> st.SearchStrategy[Any]:
    coords = {"latitude": 29.7, "longitude": -95.3, "speed": 10, "heading": -1}
    shapes: dict[str, st.SearchStrategy[Any]] = {
        "fixes": st.lists(changed(FULL) | value, max_size=4).map(lambda parts: {"fixes": parts}),
        "calls_json": st.lists(changed(CALL) | value, max_size=4).map(lambda parts: {"calls": parts}),
        "owntracks": st.lists(changed(LOCATION) | value, max_size=4),
        "geojson": st.lists(changed({"type": "Feature", "id": 1, "geometry": None, "properties": FULL}) | value, max_size=4).map(
            lambda parts: {"type": "FeatureCollection", "features": parts}
        ),
        "osmand": changed(coords).map(lambda told: {"device_id": "x", "location": {"timestamp": 1, "coords": told}}),
        "arcgis": st.lists(changed(feature()["attributes"]).map(lambda told: {"attributes": told}) | value, max_size=4).map(  # type: ignore[arg-type]
            lambda parts: {"polled_at": 1, "pages": [{"features": parts}]}
        ),
        "calls_csv": value,
    }
    return shapes[adapter] | value


def run(adapter: str, raw: bytes) -> None:
    """Take the bytes the whole way to the statement's parameters."""
    post = PreparedPost(new_receipt(), 1, microseconds(AT), "", raw)
    screen = Screen(microseconds(AT), 0, NOWHERE, ClockErrors())
    with suppress(Unreadable):
        prepare(post, ADAPTERS[adapter], SETTINGS.get(adapter, {}), received_at=AT, screen=screen, shards=Shards(1))
    assert all(reject.reason and reject.detail for reject in post.rejects)
    query, parameters = statement([post])
    assert query.count("%s") == len(parameters)


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_changed_bodies_never_break_an_adapter(adapter: str, data: st.DataObject) -> None:
    import json

    run(adapter, json.dumps(data.draw(bodies(adapter))).encode())


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_bytes_never_break_an_adapter(adapter: str, raw: bytes) -> None:
    run(adapter, raw)


@settings(max_examples=150, deadline=None)
@given(cut=st.integers(0, len(CSV)), text=st.text(max_size=20))
def test_csv_with_something_in_it_never_breaks(cut: int, text: str) -> None:
    run("calls_csv", (CSV[:cut] + text + CSV[cut:]).encode("utf-8", "surrogatepass"))


@settings(max_examples=150, deadline=None)
@given(fields=st.dictionaries(st.sampled_from(["id", "lat", "lon", "timestamp", "speed", "location"]), st.text(max_size=30)))
def test_queries_never_break(fields: dict[str, str]) -> None:
    from urllib.parse import urlencode

    run("osmand", urlencode({"id": "a", "lat": 1, "lon": 2, "timestamp": 3, **fields}, errors="replace").encode())


def test_a_good_batch_stays_whole_whatever_stands_beside_it() -> None:
    body = msgspec.json.encode({"fixes": [FULL, None, [FULL], {**FULL, "time": datetime.now(UTC)}]})
    items = ADAPTERS["fixes"].parse(body, received_at=AT, settings={})
    assert [type(item).__name__ for item in items] == ["Fix", "Rejected", "Rejected", "Fix"]
    assert len(ADAPTERS["fixes"].parts(body, {})) == len(items)
