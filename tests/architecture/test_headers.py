"""What every page tells a browser that it must not do."""

import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import Agency
from tests.running import ROOT, environment
from tests.world import make_agency, make_instance, make_member, signed_in

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


@pytest.mark.parametrize(("origin", "promised"), [("https://rtcc.example", 365 * 86_400), ("http://localhost:8080", 0)])
def test_encryption_is_promised_where_there_is_some(origin: str, promised: int) -> None:
    words = [sys.executable, "-c", "from rtcc_geo import settings; print(settings.SECURE_HSTS_SECONDS, settings.SESSION_COOKIE_SECURE)"]
    env = environment(settings.DATABASES["default"]["NAME"]) | {"RTCC_ORIGIN": origin}
    told = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout.split()
    assert told == [str(promised), str(bool(promised))]
