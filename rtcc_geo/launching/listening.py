"""The socket on which web listens: made once and handed from one web process to the next, so that nobody is refused meanwhile."""

import ctypes
import os
import re
import socket
from contextlib import suppress
from pathlib import Path

PIDFD_GETFD = 438
LISTENING = "0A"
BACKLOG = 2048


def listen(port: int, address: str = "127.0.0.1") -> socket.socket:
    """Listen on an IPv4 address, or with an empty one on every network, IPv6 too where the machine has it. Raises OSError when
    somebody else listens there."""
    if not address and socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
    return socket.create_server((address, port), backlog=BACKLOG)


def inodes_of(port: int) -> set[str]:
    """The inodes of the sockets that listen on a port over IPv4."""
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return {fields[9] for fields in lines if fields[3] == LISTENING and fields[1].endswith(f":{port:04X}")}


def descriptor_of(pid: int, port: int) -> int | None:
    """Which descriptor of a process listens on the port."""
    inodes = inodes_of(port)
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(entry))
            if found and found.group(1) in inodes:
                return int(entry.name)
    return None


def borrow(pid: int, port: int) -> socket.socket | None:
    """Return a descriptor of our own for the socket on which a running process listens; None where the kernel refuses (it wants
    the right to trace that process) or has no pidfd_getfd (before Linux 5.6)."""
    try:
        descriptor = descriptor_of(pid, port)
        process = os.pidfd_open(pid)
    except OSError:
        return None
    try:
        ours = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, descriptor, 0) if descriptor is not None else -1
    finally:
        os.close(process)
    return socket.socket(fileno=ours) if ours >= 0 else None
