"""A listener on loopback that nobody may ever connect to; it counts who does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Canary:
    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.port = int(listener.getsockname()[1])
        self.connections = 0
        self.thread = threading.Thread(target=self.count, daemon=True)
        self.thread.start()

    def count(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def sings(self) -> bool:
        """Whether it would notice somebody: connect once, and take that back."""
        with socket.create_connection((self.listener.getsockname()[0], self.port), timeout=2) as own:
            own.recv(1)
        self.connections -= 1
        return self.connections >= 0


@contextmanager
def canary(ports: tuple[int, ...] = (0,), address: str = "127.0.0.1") -> Iterator[Canary]:
    """Listen on the first of the ports that is free (0: any) until the block ends."""
    listener = next(filter(None, (opened(address, port) for port in ports)), None)
    assert listener is not None, f"none of the ports {ports} is free"
    one = Canary(listener)
    try:
        yield one
        assert one.sings(), "the canary is dead: nobody was counted"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def opened(address: str, port: int) -> socket.socket | None:
    try:
        return socket.create_server((address, port))
    except OSError:
        return None
