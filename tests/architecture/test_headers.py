"""What every page tells a browser that it must not do."""

import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import Agency
from tests.running import ROOT, environment
from tests.world import PASSWORD, make_agency, make_instance, make_member, signed_in

pytestmark = pytest.mark.django_db
PAGES = ("/", "/accounts/login/", "/admin/", "/api/layers/", "/api/schema/", "/nowhere")


@pytest.fixture
def client() -> Client:
    make_instance()
    agency: Agency = make_agency()
    return signed_in(make_member(agency))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_and_loads_only_what_comes_from_here(client: Client, path: str) -> None:
    for who in (client, Client()):
        policy = who.get(path)["Content-Security-Policy"]
        directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert directives["default-src"] == "'none'"
        assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
        assert directives["frame-ancestors"] == directives["base-uri"] == "'none'"
        assert "unsafe" not in policy


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_in_nobodys_frame_and_tells_nobody_where_it_was(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", [*PAGES, "/static/icon.svg"])
def test_a_page_uses_nothing_of_the_machine_and_shares_no_window_or_file(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Permissions-Policy"].startswith("geolocation=(self), camera=(), microphone=()")
    assert path.startswith("/static/") or answer["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize(("url", "secure"), [("https://rtcc.example", True), ("http://localhost:8080", False)])
def test_cookies_are_for_this_server_alone_and_for_no_script(client: Client, settings: Any, url: str, secure: bool) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = url.startswith("https")
    make_member(None, username="cookie")
    who = Client()
    token = who.get("/accounts/login/").cookies["csrftoken"]
    who.post("/accounts/login/", {"login": "cookie", "password": PASSWORD})
    for cookie in (token, who.cookies["sessionid"]):
        assert (bool(cookie["httponly"]), cookie["samesite"], bool(cookie["secure"]), cookie["domain"]) == (True, "Lax", secure, "")


def test_a_form_that_is_too_large_is_refused(client: Client) -> None:
    for body in ({"login": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)}, {f"field{number}": "" for number in range(1001)}):
        assert client.post("/accounts/login/", body).status_code == 400


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost:8080@evil.example", "", "[::1"])
def test_another_host_is_refused(client: Client, host: str) -> None:
    assert client.get("/accounts/login/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(("origin", "promised"), [("https://rtcc.example", 365 * 86_400), ("http://localhost:8080", 0)])
def test_encryption_is_promised_where_there_is_some(origin: str, promised: int) -> None:
    words = [sys.executable, "-c", "from rtcc_geo import settings; print(settings.SECURE_HSTS_SECONDS, settings.SESSION_COOKIE_SECURE)"]
    env = environment(settings.DATABASES["default"]["NAME"]) | {"RTCC_ORIGIN": origin}
    told = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout.split()
    assert told == [str(promised), str(bool(promised))]
