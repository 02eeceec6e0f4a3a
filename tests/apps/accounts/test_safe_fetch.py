"""The one way out: where it may go, and how little it believes what it finds there."""

import pytest

from apps.accounts.addresses import objection, port_objection
from apps.accounts.safe_fetch import BYTES_LIMIT, FetchFailed, Refused, checked_target, safe_fetch
from tests.apps.ingest.board_server import board_server


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "169.254.0.5", "0.0.0.0", "224.0.0.1", "255.255.255.255",
        "100.64.0.1", "100.100.100.200", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:8.8.8.8", "2002:7f00:1::", "64:ff9b::7f00:1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)  # fmt: skip
def test_addresses_inside_are_refused(address: str) -> None:
    assert objection(address, allow_private=False)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111"])
def test_addresses_outside_are_called(address: str) -> None:
    assert objection(address, allow_private=False) is None


@pytest.mark.parametrize(
    ("address", "allowed"),
    [("127.0.0.1", True), ("10.1.2.3", True), ("fc00::1", True), ("169.254.169.254", False), ("fd00:ec2::254", False),
     ("100.100.100.200", False), ("fe80::1", False), ("::ffff:10.0.0.1", False), ("0.0.0.0", False)],
)  # fmt: skip
def test_an_administrator_may_open_private_networks_and_nothing_else(address: str, allowed: bool) -> None:
    assert (objection(address, allow_private=True) is None) == allowed


def test_ports_are_a_list() -> None:
    assert [port_objection(port, allow_private=False) is None for port in (80, 443, 6443, 22, 5432, 50_000)] == [True] * 3 + [False] * 3
    assert port_objection(50_000, allow_private=True) is None
    assert port_objection(22, allow_private=True)


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1/", "file:///etc/passwd", "http:///x", "http://user:word@127.0.0.1:8080/", "http://127.0.0.1:22/", "gopher://x",
     "http://localhost:8080/", "http://127.1:8080/", "http://2130706433:8080/", "http://[::ffff:127.0.0.1]:8080/", "http://127.0.0.1:99999/"],
)  # fmt: skip
def test_other_places_and_schemes_are_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(Refused):
        checked_target(url, {}, allow_private=False)


def test_it_connects_to_the_checked_address_and_names_the_host() -> None:
    target = checked_target("http://localhost:8080/a?b=1", {"c": "2 3"}, allow_private=True)
    assert target.address in ("127.0.0.1", "::1")
    assert (target.host, target.path) == ("localhost", "/a?b=1&c=2+3")


def test_it_returns_the_body_of_a_200() -> None:
    with board_server() as board:
        body = safe_fetch(f"http://localhost:{board.port}/x", {"f": "json"}, allow_private=True)
        assert b"features" in body
        assert (board.requests, board.hosts) == (["/x?f=json"], [f"localhost:{board.port}"])


@pytest.mark.parametrize(
    ("status", "headers", "body", "told"),
    [
        (302, {"Location": "http://127.0.0.1:1/"}, b"", "status 302"), (500, {}, b"", "status 500"),
        (200, {"Content-Encoding": "gzip"}, b"x", "compressed"), (200, {}, b"x" * (BYTES_LIMIT + 1), "more than 32 MiB"),
        (200, {"Content-Length": "50"}, b"short", "127.0.0.1"),
    ],
)  # fmt: skip
def test_a_bad_answer_is_a_failure_and_no_redirect_is_followed(status: int, headers: dict[str, str], body: bytes, told: str) -> None:
    with board_server() as board:
        board.respond = lambda _: (status, headers, body)
        with pytest.raises(FetchFailed, match=told):
            safe_fetch(board.url, allow_private=True, time_limit_s=2)
        assert len(board.requests) == 1


def test_a_port_where_nobody_listens_is_a_failure() -> None:
    with board_server() as board:
        url = board.url
    with pytest.raises(FetchFailed):
        safe_fetch(url, allow_private=True, time_limit_s=1)
