"""A real HTTP server on loopback that answers like an ArcGIS layer, or as badly as a test wants."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Respond = Callable[[dict[str, list[str]]], tuple[int, dict[str, str], bytes]]


class Board:
    """What the server says: features by page, or a `respond` of the test's own."""

    def __init__(self) -> None:
        self.features: list[dict[str, Any]] = []
        self.page = 2
        self.requests: list[str] = []
        self.hosts: list[str] = []
        self.respond: Respond = self.answer
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/arcgis/rest/services/Incidents/MapServer/0"

    def answer(self, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        offset = int(query.get("resultOffset", ["0"])[0])
        shown = self.features[offset : offset + self.page]
        more = offset + self.page < len(self.features)
        return 200, {}, json.dumps({"features": shown, "exceededTransferLimit": more}).encode()


@contextmanager
def board_server() -> Iterator[Board]:
    board = Board()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            board.requests.append(self.path)
            board.hosts.append(self.headers["Host"])
            status, headers, body = board.respond(parse_qs(urlsplit(self.path).query))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    board.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield board
    finally:
        server.shutdown()
        server.server_close()
