"""How much, and how slowly, somebody may say something to the web process: on a real uvicorn with the real protocol."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import uvicorn

from apps.live.consumers import MOST_SAID_BYTES, Talk, TooMuchSaid
from rtcc_geo import bounded_body, bounded_http
from rtcc_geo.bounded_body import MOST_BYTES, BoundedBody
from rtcc_geo.bounded_http import MOST_HEADER_BYTES, BoundedHttp
from tests.running import wait_until

SLOW_S = 0.4
Dial = Callable[[], socket.socket]


async def count_bytes(scope: dict[str, object], receive: object, send: object) -> None:
    """Reads the whole body, as Django does, and answers how long it was; a sender who left gets no answer."""
    size, more = 0, True
    while more:
        message = await receive()  # type: ignore[operator]
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    body = b"%d bytes" % size
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": body})  # type: ignore[operator]


@pytest.fixture
def dial(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dial]:
    """A server whose patience is short, and a way to connect to it."""
    monkeypatch.setattr(bounded_http, "HEADERS_S", SLOW_S)
    monkeypatch.setattr(bounded_body, "PATIENCE_S", SLOW_S)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(BoundedBody(count_bytes), http=BoundedHttp, lifespan="off", log_config=None)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    wait_until(lambda: server.started, within_s=10, what="the server")
    yield lambda: socket.create_connection(listener.getsockname(), timeout=5)
    server.should_exit = True
    thread.join(10)


def all_of(connection: socket.socket) -> bytes:
    """Return what comes until the other side ends the connection."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        parts.append(b"(reset)")
    return b"".join(parts)


def says_a_byte_more(connection: socket.socket, *, until: float) -> bool:
    """Say byte after byte; return whether the other side still listened at the end."""
    try:
        while time.monotonic() < until:
            connection.sendall(b"a")
            time.sleep(0.02)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def test_a_request_in_time_is_answered_and_the_next_one_too(dial: Dial) -> None:
    with dial() as connection:
        for size in (0, 9, 70_000):
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
            answer = b""
            while not answer.endswith(b"bytes"):
                answer += connection.recv(4096)
            assert answer.endswith(b"\r\n\r\n%d bytes" % size)


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_connection_that_says_nothing_whole_is_ended(dial: Dial, said: bytes) -> None:
    began = time.monotonic()
    with dial() as connection:
        connection.sendall(said)
        assert all_of(connection) == b""
    assert SLOW_S * 0.9 < time.monotonic() - began < SLOW_S + 2


def test_a_header_that_comes_byte_by_byte_is_not_waited_for(dial: Dial) -> None:
    began = time.monotonic()
    with dial() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert not says_a_byte_more(connection, until=began + 4)
    assert time.monotonic() - began < SLOW_S + 2


def test_headers_without_end_are_refused(dial: Dial) -> None:
    with dial() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * (MOST_HEADER_BYTES + 10_000))
        assert all_of(connection).startswith((b"HTTP/1.1 400", b"(reset)"))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_page_takes_no_longer_body_than_it_says(dial: Dial, chunked: bool) -> None:
    with dial() as connection:
        if not chunked:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (MOST_BYTES + 1))
        else:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            piece = b"%x\r\n" % 2**20 + b"x" * 2**20 + b"\r\n"
            with suppress(BrokenPipeError, ConnectionResetError):
                for _ in range(MOST_BYTES // 2**20 + 1):
                    connection.sendall(piece)
        assert b"413" in connection.recv(4096).split(b"\r\n")[0]


def test_a_body_that_does_not_come_is_not_waited_for(dial: Dial) -> None:
    with dial() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
        answer = all_of(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"error":"too_slow"' in answer


def test_a_client_may_say_as_much_as_a_page_ever_does_and_no_more() -> None:
    talk = Talk()
    at = talk.at
    for message in range(400):
        talk.count(120, at=at + message / 1000)
    for _ in range(15):
        talk.count(120, at=at + 0.4)
    with pytest.raises(TooMuchSaid):
        [talk.count(120, at=at + 0.4) for _ in range(10)]
    talk.count(120, at=at + 60)
    with pytest.raises(TooMuchSaid):
        talk.count(MOST_SAID_BYTES + 1, at=at + 61)
