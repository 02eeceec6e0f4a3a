"""Tell every few seconds that this process lives, and what it counted: one row in the database, written by a thread of its own.

A database that is away is no reason to end: the next turn tells again. The row says when the process's own work went round last,
since this thread would go on while that hangs.
"""

import logging
import os
import resource
import socket
import threading
import time
from typing import Any

import psycopg
from django.conf import settings
from psycopg.types.json import Jsonb

from apps.processes.counting import counts

log = logging.getLogger(__name__)
EVERY_S = 5.0
FORGOTTEN_AFTER = "1 day"
TELL = """
INSERT INTO processes_process (kind, host, pid, started_at, told_at, turned_at, counts)
VALUES (%(kind)s, %(host)s, %(pid)s, clock_timestamp() - make_interval(secs => %(age_s)s), clock_timestamp(),
    clock_timestamp() - make_interval(secs => %(turned_s)s), %(counts)s)
ON CONFLICT (kind, host) DO UPDATE SET pid = excluded.pid, told_at = excluded.told_at, turned_at = excluded.turned_at,
    counts = excluded.counts,
    started_at = CASE WHEN processes_process.pid = excluded.pid THEN processes_process.started_at ELSE excluded.started_at END
"""
FORGET = f"DELETE FROM processes_process WHERE told_at < clock_timestamp() - interval '{FORGOTTEN_AFTER}'"
STARTED = time.monotonic()


def parameters() -> dict[str, Any]:
    """Return how to connect: outside Django's pool, so that a pool that is used up does not silence the report."""
    database = settings.DATABASES["default"]
    return {
        "host": database["HOST"], "port": database["PORT"], "user": database["USER"], "dbname": database["NAME"], "autocommit": True,
        "connect_timeout": 5, "application_name": "rtcc report", "options": "-c statement_timeout=5s -c lock_timeout=1s",
    }  # fmt: skip


def facts(kind: str) -> dict[str, Any]:
    """Return what is told now."""
    turned_s = None if counts.turned is None else time.monotonic() - counts.turned
    own = {"cpu_seconds": time.process_time(), "resident_bytes": resident_bytes(), "open_files": open_files()}
    return {
        "kind": kind[:40], "host": socket.gethostname()[:120], "pid": os.getpid(), "age_s": time.monotonic() - STARTED,
        "turned_s": turned_s, "counts": Jsonb({**counts.values(), **own}),
    }  # fmt: skip


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def tell(connection: psycopg.Connection[Any], kind: str) -> None:
    """Write the row. Raises psycopg.Error."""
    connection.execute(TELL, facts(kind), prepare=True)


def tell_forever(kind: str, ended: threading.Event) -> None:
    connection: psycopg.Connection[Any] | None = None
    while not ended.is_set():
        try:
            if connection is None or connection.closed:
                connection = psycopg.connect(**parameters())
                connection.execute(FORGET)
            tell(connection, kind)
        except psycopg.Error as error:
            log.info("this process could not tell of itself: %s", error)
            if connection is not None:
                connection.close()
        ended.wait(EVERY_S)
    if connection is not None:
        connection.close()


def start(kind: str) -> threading.Event:
    """Begin to tell, as what the launcher called this process (RTCC_PROCESS), else as `kind`. Set the event that is returned to end."""
    ended = threading.Event()
    name = os.environ.get("RTCC_PROCESS", kind)
    threading.Thread(target=tell_forever, args=[name, ended], name="report", daemon=True).start()
    return ended
