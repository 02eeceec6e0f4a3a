"""The socket of web: who listens on it, and that another process can go on with it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from rtcc_geo.launching import listening
from tests.running import free_port

SERVER = """
import socket, sys, time
made = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
time.sleep(60)
"""


@pytest.fixture
def server() -> Iterator[tuple["subprocess.Popen[str]", int]]:
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        yield process, port
        process.kill()


def test_a_port_that_is_taken_is_refused(server: tuple["subprocess.Popen[str]", int]) -> None:
    with pytest.raises(OSError, match="in use"):
        listening.listen(server[1])


def test_a_socket_outlives_the_process_that_made_it(server: tuple["subprocess.Popen[str]", int]) -> None:
    process, port = server
    borrowed = listening.borrow(process.pid, port)
    if borrowed is None:
        assert os.geteuid() != 0
        pytest.skip("not run: this kernel lets only root take a socket of another process")
    process.kill()
    process.wait()
    with borrowed, socket.create_connection(("127.0.0.1", port), timeout=5):
        accepted, _ = borrowed.accept()
        accepted.close()


def test_nothing_is_borrowed_from_who_does_not_listen_there(server: tuple["subprocess.Popen[str]", int]) -> None:
    assert listening.borrow(server[0].pid, free_port()) is None
    assert listening.borrow(2**22 - 1, server[1]) is None


def test_without_an_address_every_network_is_served() -> None:
    port = free_port()
    with listening.listen(port, ""), socket.create_connection(("127.0.0.1", port), timeout=5) as reached:
        assert reached.getpeername()[1] == port
