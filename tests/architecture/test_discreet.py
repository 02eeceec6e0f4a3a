"""What gets into a log line, and what does not."""

import io
import logging
from typing import Any

import psycopg
import pytest
from django.db import DataError, connection
from django.test import Client
from pythonjsonlogger.json import JsonFormatter

from rtcc_geo.discreet import DiscreetHandler, told

PLATE, TOKEN, LON = "PLT4817", "rtcc_tOkEnThatOpensAll-123", "-95.369804"


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> Any:
    """Everything that is logged in the test, as the handler writes it; with "json", structured."""
    out = io.StringIO()
    handler = DiscreetHandler(out)
    if getattr(request, "param", "") == "json":
        handler.setFormatter(JsonFormatter("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    yield out
    root.removeHandler(handler)


log = logging.getLogger("tests.discreet")


@pytest.mark.parametrize(
    "text",
    [
        f"GET /ingest/cars?key={TOKEN}&plate={PLATE} HTTP/1.1", f"Authorization: Bearer {TOKEN}",
        f"headers {{'cookie': 'sessionid={TOKEN}'}}",
        f"unit at ({LON}, 29.760427)", f"redis://user:{PLATE}@10.0.0.1:6379/0", f"token={PLATE}", f"the key {TOKEN} is not known",
    ],
)  # fmt: skip
def test_what_looks_like_a_key_or_a_place_is_not_written(lines: Any, text: str) -> None:
    log.warning(text)
    log.warning("%s", text)
    written = lines.getvalue()
    assert not [word for word in (PLATE, TOKEN, LON, "29.760427") if word in written]
    assert written.count("…") >= 2


@pytest.mark.parametrize("lines", ["plain", "json"], indirect=True)
def test_an_exception_is_told_by_its_class_and_where_it_was_raised(lines: Any) -> None:
    try:
        try:
            float(PLATE)
        except ValueError as error:
            raise KeyError(f"{PLATE} at {LON}") from error
    except KeyError as error:
        log.exception("reading failed: %s", error)
        log.error("in a group", exc_info=ExceptionGroup(PLATE, [error]))
    written = lines.getvalue()
    assert PLATE not in written
    assert LON not in written
    assert "ValueError" in written
    assert "KeyError" in written
    assert "test_discreet.py" in written


@pytest.mark.django_db
def test_an_error_of_the_database_is_told_by_its_state_and_the_names_of_what_it_broke(lines: Any) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::bigint", [PLATE])
    except DataError as error:
        log.exception("failed: %s", error)
    written = lines.getvalue()
    assert PLATE not in written
    assert "SQLSTATE 22P02" in written
    unique = psycopg.errors.UniqueViolation(f"Key (number)=({PLATE}) already exists.")
    assert told(unique) == "psycopg.errors.UniqueViolation (SQLSTATE 23505)"


def test_what_the_system_says_is_written() -> None:
    assert told(FileNotFoundError(2, "No such file or directory", f"/{PLATE}")) == "FileNotFoundError (2, No such file or directory)"
    assert told(TimeoutError()) == "TimeoutError"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "headers", "told_of"),
    [
        (f"/plates/{PLATE}?token={TOKEN}", {}, "404 GET no address of ours"),
        ("/api/layers/", {"Host": f"{PLATE}.example"}, "DisallowedHost"),
        (f"/api/layers/{PLATE}/features?at={PLATE}", {}, "401 GET /api/layers/<slug:name>/features"),
    ],
)  # fmt: skip
def test_a_request_is_told_by_its_route(lines: Any, path: str, headers: dict[str, str], told_of: str) -> None:
    Client().get(path, headers=headers)
    written = lines.getvalue()
    assert told_of in written
    assert not [word for word in (PLATE, TOKEN, PLATE.lower()) if word in written]


@pytest.mark.django_db
def test_a_refused_form_is_told_without_what_it_held(lines: Any) -> None:
    Client(enforce_csrf_checks=True).post(f"/accounts/login/?next=/{PLATE}", {"login": PLATE, "password": TOKEN})
    written = lines.getvalue()
    assert "403 POST /accounts/login/" in written
    assert not [word for word in (PLATE, TOKEN) if word in written]


def test_a_websocket_is_told_without_its_address(lines: Any) -> None:
    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" [accepted]', "127.0.0.1:5", f"/live/{PLATE}?token={TOKEN}")
    assert "127.0.0.1:5 - WebSocket [accepted]" in lines.getvalue()
    assert PLATE not in lines.getvalue()
