"""`./rtcc up --lan NAME`: an authority that may speak for one name, a certificate that is renewed in time, and a page that hands it out."""

import argparse
import ipaddress
import os
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from rtcc_geo import certificates, trust_page

NOW = datetime.now(UTC)
HERE = [ipaddress.ip_address("192.168.7.20"), ipaddress.ip_address("203.0.113.9")]


def names(folder: Path) -> list[str]:
    certificate = x509.load_pem_x509_certificate((folder / "server.crt").read_bytes())
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]


@pytest.mark.parametrize("text", ["rtcc.local", "Map.City.example", "rtcc", "a-b.c"])
def test_it_takes_names_of_machines(launcher: Any, text: str) -> None:
    assert launcher.lan_name(text) == text.lower()


@pytest.mark.parametrize("text", ["", "192.168.1.2", "localhost", "a b", "http://x", "-x", "x_y", "../x", "a" * 64, "x:8080"])
def test_it_refuses_what_is_no_name(launcher: Any, text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no name of a machine"):
        launcher.lan_name(text)


def test_the_certificate_is_for_the_name_loopback_and_private_addresses(short_folder: Path) -> None:
    assert certificates.keep(short_folder, "rtcc", HERE, at=NOW)
    assert names(short_folder) == ["rtcc", "rtcc.local", "localhost", "127.0.0.1", "::1", "192.168.7.20"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in short_folder.iterdir())


def test_openssl_trusts_it_by_its_authority_for_its_name_and_no_other(short_folder: Path) -> None:
    certificates.keep(short_folder, "rtcc.local", HERE, at=NOW)
    authority, server = str(short_folder / "authority.crt"), str(short_folder / "server.crt")
    codes = {}
    for name in ("rtcc.local", "bank.example"):
        words = ["openssl", "verify", "-CAfile", authority, "-verify_hostname", name, server]
        codes[name] = subprocess.run(words, capture_output=True).returncode
    assert codes["rtcc.local"] == 0
    assert codes["bank.example"] != 0


def test_a_stolen_authority_is_of_no_use_for_another_site(short_folder: Path) -> None:
    certificates.keep(short_folder, "rtcc.local", HERE, at=NOW)
    authority = certificates.stored(short_folder, "authority", at=NOW)
    assert authority is not None
    forged = short_folder / "forged"
    forged.mkdir()
    certificates.make_server(forged, "bank.example", [], authority, at=NOW)
    words = ["openssl", "verify", "-CAfile", str(short_folder / "authority.crt"), str(forged / "server.crt")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode
    assert "permitted subtree violation" in done.stdout + done.stderr


def test_it_is_renewed_a_month_before_its_end_under_the_same_authority(short_folder: Path) -> None:
    certificates.keep(short_folder, "rtcc.local", HERE, at=NOW)
    authority = (short_folder / "authority.crt").read_bytes()
    assert not certificates.keep(short_folder, "rtcc.local", HERE, at=NOW + timedelta(days=359))
    assert certificates.keep(short_folder, "rtcc.local", HERE, at=NOW + timedelta(days=361))
    assert (short_folder / "authority.crt").read_bytes() == authority


def test_a_new_address_of_the_machine_makes_a_new_certificate(short_folder: Path) -> None:
    certificates.keep(short_folder, "rtcc.local", HERE, at=NOW)
    moved = [ipaddress.ip_address("10.0.0.5")]
    assert certificates.keep(short_folder, "rtcc.local", moved, at=NOW)
    assert "10.0.0.5" in names(short_folder)


def test_a_half_written_pair_is_made_anew(short_folder: Path) -> None:
    certificates.keep(short_folder, "rtcc.local", HERE, at=NOW)
    (short_folder / "server.key").write_text("-----BEGIN")
    assert certificates.keep(short_folder, "rtcc.local", HERE, at=NOW)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(short_folder / "server.crt", short_folder / "server.key")


@pytest.fixture
def page(launcher: Any, short_folder: Path) -> Iterator[str]:
    """The page that other devices see, running; its address."""
    certificates.keep(short_folder, "rtcc.local", HERE, at=NOW)
    port = launcher.free_port(18480)
    said = {
        "RTCC_ORIGIN": "https://rtcc.local:8080",
        "RTCC_TRUST_PORT": str(port),
        "RTCC_TLS_AUTHORITY": str(short_folder / "authority.crt"),
    }
    running = subprocess.Popen([sys.executable, "-m", "rtcc_geo.trust_page"], env={**os.environ, **said}, cwd=launcher.ROOT)
    try:
        assert launcher.wait_until(lambda: not launcher.port_is_free(port), 20)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.kill()
        running.wait()


def read(address: str) -> tuple[Any, bytes]:
    with urllib.request.urlopen(address, timeout=5) as answer:
        return answer.headers, answer.read()


def test_the_page_hands_out_the_authority_and_its_fingerprint_and_nothing_else(page: str, short_folder: Path) -> None:
    headers, certificate = read(f"{page}/ca.crt")
    assert headers["Content-Type"] == "application/x-x509-ca-cert"
    assert certificate == (short_folder / "authority.crt").read_bytes()
    headers, text = read(f"{page}/")
    assert certificates.fingerprint(x509.load_pem_x509_certificate(certificate)).encode() in text
    assert b"https://rtcc.local:8080" in text
    assert "script" not in headers["Content-Security-Policy"]
    assert read(f"{page}/map.svg")[1].startswith(b"<svg ")
    for path in ("/authority.key", "/../authority.key", "/healthz"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            read(page + path)


def test_a_silent_caller_holds_nobody_up(page: str) -> None:
    host, port = page.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))):
        done: list[bytes] = []
        asking = threading.Thread(target=lambda: done.append(read(f"{page}/")[1]))
        asking.start()
        asking.join(5)
        assert done


def test_the_terminal_shows_the_way_with_codes(launcher: Any, short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates.keep(short_folder, "rtcc.local", HERE, at=NOW)
    monkeypatch.setenv("RTCC_ORIGIN", "https://rtcc.local:8080")
    monkeypatch.setenv("RTCC_TRUST_PORT", "8081")
    monkeypatch.setattr(certificates, "machine_addresses", lambda: HERE)
    monkeypatch.setenv("RTCC_TLS_AUTHORITY", str(short_folder / "authority.crt"))
    trust = trust_page.Trust.of_environment()
    said = trust_page.words(trust)
    assert trust.fingerprint in said
    assert "https://rtcc.local:8080" in said
    assert said.count("▄▄▄▄▄") >= 4


def test_web_then_listens_everywhere_with_the_certificate_and_believes_no_proxy(launcher: Any, servers: Any) -> None:
    instance = launcher.lan_instance(servers, "rtcc.local", 9000)
    web = instance.program("web")
    options = dict(zip(web.argv, web.argv[1:], strict=False))
    assert (options["--host"], options["--port"]) == ("", "9000")
    assert options["--ssl-certfile"] == web.env["RTCC_TLS_CERTIFICATE"]
    assert "--no-proxy-headers" in web.argv
    assert (instance.origin, web.env["RTCC_ORIGIN"]) == ("https://rtcc.local:9000", "https://rtcc.local:9000")


def test_without_the_flag_it_stays_on_loopback(launcher: Any, servers: Any) -> None:
    instance = launcher.make_instance(servers, None, 9000)
    assert dict(zip(instance.program("web").argv, instance.program("web").argv[1:], strict=False))["--host"] == "127.0.0.1"
    assert "RTCC_TRUST_PORT" not in instance.environment()


@pytest.mark.long
def test_the_map_is_served_over_tls_and_the_patrol_finds_its_way_in(launcher: Any, servers: Any) -> None:
    servers.start_postgres({"fsync": "off"})
    servers.start_redis()
    instance = launcher.make_instance(servers, "rtcc.local", launcher.free_port(18500))
    instance.manage("migrate", "--noinput")
    instance.bootstrap("demo")
    try:
        instance.start("web", "pipeline", "patrol")
        instance.wait_healthy(60, also=("pipeline",))
        sent = "SELECT coalesce(sum(observations), 0) > 50 FROM ingest_sourcehealth"
        assert launcher.wait_until(lambda: servers.query(sent) == "t", 40, 0.5)
        with pytest.raises(ssl.SSLCertVerificationError), socket.create_connection(("127.0.0.1", instance.port)) as plain:
            ssl.create_default_context().wrap_socket(plain, server_hostname="rtcc.local")
        before = instance.pid("web")
        Path(instance.extra["RTCC_TLS_CERTIFICATE"]).unlink()
        launcher.renew_certificate(instance)
        instance.wait_healthy(60)
        assert instance.pid("web") != before
    finally:
        instance.stop()
