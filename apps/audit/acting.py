"""Who acts, and from where: said once a request, socket or command, and read by whatever writes an audit row."""

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Acting:
    """`road` is page, api, socket, key, command or process."""

    member_id: int | None = None
    name: str = ""
    address: str | None = None
    road: str = "process"


current: ContextVar[Callable[[], Acting]] = ContextVar("acting", default=Acting)


def acting() -> Acting:
    """Return who acts now. A request's member is looked up when somebody asks."""
    return current.get()()


def at_the_command_line() -> Acting:
    """Return the account of the operating system that runs a command; its number where it has no name."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = str(os.getuid())
    return Acting(name=name, road="command")


@contextmanager
def acting_as(find: Callable[[], Acting]) -> Iterator[None]:
    token = current.set(find)
    try:
        yield
    finally:
        current.reset(token)
