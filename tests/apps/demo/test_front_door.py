"""The poster, against a small HTTP server that answers as it is told."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.demo.front_door import Door, Poster, Refused

ACCEPTED = (202, {"receipt": "r1", "accepted": 1, "rejected": [{"index": 1, "reason": "future", "detail": "", "quarantined": True}]})


class Scripted(ThreadingHTTPServer):
    """Gives its answers one after the other, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, object]] = []
        self.heard: list[tuple[dict[str, str], object]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((dict(self.headers), json.loads(body)))
        status, answer = self.server.answers.pop(0)
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted()
    thread = threading.Thread(target=scripted.serve_forever, daemon=True)
    thread.start()
    yield scripted
    scripted.shutdown()
    scripted.server_close()


def door(server: Scripted) -> Door:
    return Door(f"http://127.0.0.1:{server.server_address[1]}/ingest/patrol", "key-1", "simulated")


def test_it_carries_the_key_and_the_origin_and_reads_the_receipt(server: Scripted) -> None:
    server.answers = [ACCEPTED]
    receipt = Poster().post(door(server), {"fixes": []})
    headers, body = server.heard[0]
    assert (headers["Authorization"], headers["X-RTCC-Origin"], body) == ("Bearer key-1", "simulated", {"fixes": []})
    assert receipt.accepted == 1
    assert [rejection.reason for rejection in receipt.rejected] == ["future"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_it_sends_again_until_it_is_acknowledged(server: Scripted, status: int) -> None:
    server.answers = [(status, {}), (status, {}), ACCEPTED]
    poster = Poster()
    assert poster.post(door(server), {"fixes": [1]}).accepted == 1
    assert poster.retries == 2
    assert [body for _, body in server.heard] == [{"fixes": [1]}] * 3


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413])
def test_it_does_not_repeat_what_is_refused(server: Scripted, status: int) -> None:
    server.answers = [(status, {"error": "wrong_origin", "detail": "no"})]
    with pytest.raises(Refused, match="wrong_origin") as refused:
        Poster().post(door(server), {"fixes": []})
    assert (refused.value.status, refused.value.word) == (status, "wrong_origin")
    assert len(server.heard) == 1


def test_it_survives_a_front_door_that_is_not_there_and_gives_up_when_told_to() -> None:
    with pytest.raises(TimeoutError, match="has not acknowledged"):
        Poster().post(Door("http://127.0.0.1:9/ingest/x", "k", "simulated"), {}, patience_s=0.2)
