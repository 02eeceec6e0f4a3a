"""No address that an administrator enters makes this server call itself, its neighbors or a cloud's metadata: a canary listens."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from apps.accounts.addresses import PORTS
from apps.accounts.safe_fetch import FetchFailed, Refused, safe_fetch
from tests.apps.ingest.board_server import board_server
from tests.canary import Canary, canary

PUBLIC = "93.184.216.34"


@pytest.fixture
def bird() -> Iterator[Canary]:
    """A canary on a port that safe_fetch would call."""
    with canary(tuple(sorted(PORTS))) as one:
        yield one
        assert one.connections == 0


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001",
        "127.0.0.1.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]", "169.254.169.254", "[fd00:ec2::254]", "2852039166", "0251.0376.0251.0376", "[::ffff:169.254.169.254]",
        "10.0.0.1", "192.168.0.1", "[fe80::1]", "LOCALHOST", "localhost.", "%6c%6f%63%61%6c%68%6f%73%74", "①②⑦.⓪.⓪.①",
        "user@127.0.0.1", "127.0.0.1#@example.com", "example.com@127.0.0.1",
    ],
)  # fmt: skip
def test_no_spelling_of_an_inner_address_is_called(bird: Canary, host: str) -> None:
    with pytest.raises((Refused, FetchFailed)):
        safe_fetch(f"http://{host}:{bird.port}/latest/meta-data/", time_limit_s=1)
    assert bird.connections == 0


def test_a_redirect_to_the_inside_is_not_followed(bird: Canary) -> None:
    with board_server() as board:
        for status in (301, 302, 303, 307, 308):
            board.respond = lambda _, status=status: (status, {"Location": f"http://127.0.0.1:{bird.port}/"}, b"")  # type: ignore[misc]
            with pytest.raises(FetchFailed, match=f"status {status}"):
                safe_fetch(board.url, allow_private=True, time_limit_s=2)


class Resolver:
    """Answers each question about a name with the next of these addresses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, *answers: list[str]) -> None:
        self.name, self.answers, self.asked = name, list(answers), 0
        self.real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self.ask)

    def ask(self, host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host != self.name:
            return self.real(host, port, *rest, **more)
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]


def test_a_name_that_changes_its_address_is_asked_once_and_the_checked_address_is_called(
    bird: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard of all tests stops the connection to the public address; that it is tried at all shows where it would go."""
    resolver = Resolver(monkeypatch, "board.example", [PUBLIC], ["127.0.0.1"])
    with pytest.raises(AssertionError, match=f"{PUBLIC}.*{bird.port}"):
        safe_fetch(f"http://board.example:{bird.port}/", time_limit_s=1)
    assert resolver.asked == 1


def test_a_name_with_one_inner_address_among_others_is_refused(bird: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    for answer in ([PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, "169.254.169.254"]):
        Resolver(monkeypatch, "board.example", answer)
        with pytest.raises(Refused):
            safe_fetch(f"http://board.example:{bird.port}/", time_limit_s=1)


def test_a_name_that_changes_between_two_places_of_this_machine_reaches_only_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with board_server() as board, canary((board.port,), "127.0.0.2") as bird:
        resolver = Resolver(monkeypatch, "board.example", ["127.0.0.1"], ["127.0.0.2"])
        safe_fetch(f"http://board.example:{board.port}/x", allow_private=True, time_limit_s=2)
        assert (len(board.requests), resolver.asked, bird.connections) == (1, 1, 0)
