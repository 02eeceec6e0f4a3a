"""Log lines: one JSON object each where a machine reads them, with the request's id and never a name or an address."""

import json
import logging
import subprocess
import sys
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from rtcc_geo import environment, logs
from tests.running import ROOT
from tests.running import environment as process_environment
from tests.world import make_agency, make_member, signed_in


def line(message: str, *args: object, **more: Any) -> dict[str, Any]:
    record = logging.getLogger("apps.x").makeRecord("apps.x", logging.WARNING, "x.py", 1, message, args, None, None, more or None)
    return dict(json.loads(logs.Lines().format(record)))


def test_a_line_is_one_object_with_its_time_level_logger_and_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTCC_PROCESS", "pipeline:2")
    found = line("set aside %d", 3, source="cad")
    assert found.pop("time").endswith("Z")
    assert found == {"level": "WARNING", "logger": "apps.x", "message": "set aside 3", "process": "pipeline:2", "source": "cad"}


def test_a_failure_carries_its_traceback() -> None:
    try:
        raise ValueError("x")
    except ValueError:
        record = logging.getLogger("a").makeRecord("a", logging.ERROR, "x.py", 1, "failed", (), sys.exc_info())
    assert "ValueError" in json.loads(logs.Lines().format(record))["traceback"]


@pytest.mark.parametrize(("given", "kept"), [("abcd-1234-efgh", True), ("x", False), ("a b\r\nc" * 3, False), ("a" * 65, False)])
def test_a_request_keeps_the_id_that_nginx_gave_if_it_is_one(given: str, kept: bool) -> None:
    inside: list[dict[str, Any]] = []

    def view(request: Any) -> HttpResponse:
        inside.append(line("in a request"))
        return HttpResponse()

    response = logs.RequestLog(view)(RequestFactory().get("/", headers={"X-Request-ID": given}))
    assert (response["X-Request-ID"] == given) is kept
    assert inside[0]["request_id"] == response["X-Request-ID"]
    assert "request_id" not in line("after it")


@pytest.mark.django_db
def test_a_slow_request_is_told_by_its_route_and_the_members_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    member = make_member(make_agency(), username="dana.smith")
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(logs, "SLOW_S", 0)
    monkeypatch.setattr(logs.log, "warning", lambda message, *args, **more: told.append(line(message, *args, **more["extra"])))
    signed_in(member).get("/api/layers/calls/features?agency=PLATE123")
    (found,) = told
    assert (found["route"], found["status"], found["member"]) == ("/api/layers/<slug:name>/features", 404, member.pk)
    assert found["duration_ms"] >= 0
    assert "PLATE123" not in str(found)
    assert "dana" not in str(found)


def test_no_request_is_logged_with_its_address() -> None:
    """Whoever configures "uvicorn" turns its children on again, whatever --no-access-log said."""
    words = "import logging, logging.config, uvicorn.config as u, django; logging.config.dictConfig(u.LOGGING_CONFIG); "
    words += "access = logging.getLogger('uvicorn.access'); access.handlers = []; access.propagate = False; "
    words += "django.setup(); print(access.hasHandlers(), logging.getLogger('uvicorn.error').hasHandlers())"
    env = process_environment("postgres") | {"DJANGO_SETTINGS_MODULE": "rtcc_geo.settings"}
    told = subprocess.run([sys.executable, "-c", words], cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    assert told.split() == ["False", "True"]


def test_the_environment_chooses_and_a_wrong_word_is_refused() -> None:
    words = [sys.executable, "-c", "import django; django.setup(); import logging; logging.getLogger('uvicorn.error').info('hello')"]
    env = process_environment("postgres") | {"DJANGO_SETTINGS_MODULE": "rtcc_geo.settings", "RTCC_LOG_FORMAT": "json"}
    told = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stderr.splitlines()
    assert [json.loads(one)["message"] for one in told] == ["hello"]
    failed = subprocess.run(words, cwd=ROOT, env=env | {"RTCC_LOG_FORMAT": "xml"}, capture_output=True, text=True)
    assert 'RTCC_LOG_FORMAT is "xml", expected one of: line, json' in failed.stderr


def test_a_secret_may_come_from_a_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "key"
    secret.write_text("abc\n")
    monkeypatch.delenv("RTCC_SECRET_KEY", raising=False)
    monkeypatch.setenv("RTCC_SECRET_KEY_FILE", str(secret))
    assert environment.required("RTCC_SECRET_KEY") == "abc"
    monkeypatch.setenv("RTCC_SECRET_KEY", "other")
    with pytest.raises(environment.BadSetting, match="RTCC_SECRET_KEY and RTCC_SECRET_KEY_FILE are both set"):
        environment.required("RTCC_SECRET_KEY")
    monkeypatch.delenv("RTCC_SECRET_KEY")
    secret.write_text(" \n")
    with pytest.raises(environment.BadSetting, match="which is empty"):
        environment.required("RTCC_SECRET_KEY")
    secret.unlink()
    with pytest.raises(environment.BadSetting, match="which cannot be read"):
        environment.required("RTCC_SECRET_KEY")
