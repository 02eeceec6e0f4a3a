"""A running system for tests: real processes of this project against a database of its own.

    with migrated_database("flows") as database, RunningSystem(database=database) as system:
        system.start("web", "pipeline")

Names of processes are those of docs/interfaces.md; "pipeline:2" is a second copy. PostgreSQL is that of the environment. Redis is the
system's own ("redis"), since hints of two databases must not meet; give `redis_url` to use another. Who wants to kill PostgreSQL too
uses the launcher's own Servers and Instance.
"""

import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import TracebackType

import psycopg
from django.db import connection

from tests.lanes import worker

ROOT = Path(__file__).resolve().parent.parent
UVICORN = (
    "--host", "127.0.0.1", "--ws", "websockets-sansio", "--ws-per-message-deflate", "false",
    "--ws-max-size", "4096", "--http", "rtcc_geo.bounded_http:BoundedHttp", "--no-server-header", "--lifespan", "on",
    "--loop", "uvloop", "--no-access-log", "--timeout-graceful-shutdown", "2", "--port",
)  # fmt: skip


running: "list[RunningSystem]" = []
"""The systems of this process that run now; the report of a test that fails ends with their logs."""


class NotReady(Exception):
    """A process did not come up; the text ends with its log."""


def wait_until(condition: Callable[[], object], *, within_s: float, what: str, every_s: float = 0.05) -> None:
    """Wait for a condition. Raises AssertionError, which says what was waited for."""
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, f"not within {within_s:g} s: {what}"
        time.sleep(every_s)


def free_port() -> int:
    """Return a port at random that nobody else takes while its web process is dead for a moment: neither the ones that
    `./rtcc up` looks through from 8080 on, nor those that Linux gives to outgoing connections (from 32768 on)."""
    for _ in range(100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(10_000, 30_000)))
            return int(probe.getsockname()[1])
    raise NotReady("100 ports between 10000 and 30000 are taken")


def environment(database: str) -> dict[str, str]:
    return {**os.environ, "RTCC_PGDATABASE": database, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _administer(statement: str) -> None:
    names = {"host": "RTCC_PGHOST", "port": "RTCC_PGPORT", "user": "RTCC_PGUSER"}
    with psycopg.connect(dbname="postgres", autocommit=True, **{key: os.environ[name] for key, name in names.items()}) as admin:
        admin.execute(statement)


@cache
def _template() -> str:
    """Migrate one database a session; the others are copies of it."""
    name = f"test_{os.environ['RTCC_PGDATABASE']}_template_{os.getpid()}"
    drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
    _administer(f'CREATE DATABASE "{name}"')
    atexit.register(_administer, drop)
    manage("migrate", "--noinput", "--verbosity", "0", env=environment(name))
    return name


@contextmanager
def migrated_database(purpose: str) -> Iterator[str]:
    """Make an empty, migrated database beside the environment's own, and drop it at the end."""
    name = f"test_{os.environ['RTCC_PGDATABASE']}_{purpose}{worker()}"
    drop = copy_of_template(name)
    try:
        yield name
    finally:
        _administer(drop)


def copy_of_template(name: str) -> str:
    """Make a migrated database, in place of one of that name; return what drops it."""
    drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
    _administer(drop)
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{_template()}"')
    return drop


def manage(*words: str, env: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"manage.py {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def orm_on(database: str) -> Iterator[None]:
    """Point this process's Django at the database for a while. Tests unblock it with django_db_blocker."""
    before = connection.settings_dict["NAME"]
    _switch(database)
    try:
        yield
    finally:
        _switch(before)


def _switch(database: str) -> None:
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = database


class RunningSystem:
    """Processes by name. Every one is stopped at the end, by its own pid."""

    def __init__(
        self,
        *,
        database: str,
        redis_url: str | None = None,
        port: int | None = None,
        extra: dict[str, str] | None = None,
        web: str = "rtcc_geo.asgi:application",
    ) -> None:
        self.web = web
        self.port = port or free_port()
        self.state = Path(tempfile.mkdtemp(prefix="rtcc-test-"))
        self.own_redis = redis_url is None
        self.redis_url = redis_url or f"unix://{self.state}/redis.sock?db=0"
        names = {"RTCC_ORIGIN": self.url, "RTCC_STATE": str(self.state), "RTCC_REDIS_URL": self.redis_url}
        self.env = environment(database) | names | (extra or {})
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def live_url(self) -> str:
        return f"ws://localhost:{self.port}/live/"

    def start(self, *names: str, within_s: float = 90) -> None:
        """Start processes (and first the own Redis) and wait until they are ready; one that runs already stays."""
        for name in (*(["redis"] if self.own_redis and "redis" not in self.processes else []), *names):
            if name not in self.processes or self.processes[name].poll() is not None:
                self.processes[name] = self._spawn(name)
        if any(name.partition(":")[0] in ("web", "pipeline") for name in names):
            self.wait_ready(within_s=within_s)

    def _spawn(self, name: str) -> subprocess.Popen[bytes]:
        with self.log_path(name).open("ab") as log:
            return subprocess.Popen(self._words(name), cwd=ROOT, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def _words(self, name: str) -> list[str]:
        kind = name.partition(":")[0]
        if kind == "redis":
            return ["redis-server", "--port", "0", "--save", "", "--unixsocket", str(self.state / "redis.sock")]
        if kind == "web":
            return [sys.executable, "-m", "uvicorn", self.web, *UVICORN, str(self.port)]
        return [sys.executable, "manage.py", kind]

    def wait_ready(self, *, within_s: float = 90) -> None:
        """Wait for /healthz, with a pipeline when one was started. Raises NotReady."""
        until = time.monotonic() + within_s
        while not self._is_ready():
            ended = [name for name, process in self.processes.items() if process.poll() is not None]
            if ended or time.monotonic() > until:
                raise NotReady(f"ended: {ended or 'none'}\n" + "\n".join(f"--- {name}\n{log}" for name, log in self.logs()))
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        if "web" not in self.processes:
            return True
        health = self.health()
        needs_pipeline = any(name.startswith("pipeline") for name in self.processes)
        return '"status":"ok"' in health and ('"pipeline":true' in health or not needs_pipeline)

    def health(self) -> str:
        """Return what /healthz says, without spaces; empty while nothing answers 200."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return answer.read().decode().replace(" ", "")
        except OSError:
            return ""

    def log_path(self, name: str) -> Path:
        return self.state / f"{name.replace(':', '-')}.log"

    def logs(self) -> Iterator[tuple[str, str]]:
        """Yield the name of each process and the end of what it logged."""
        for name in self.processes:
            yield name, self.log(name)

    def log(self, name: str) -> str:
        return self.log_path(name).read_text(errors="replace")[-4000:] if self.log_path(name).exists() else ""

    def pid(self, name: str) -> int:
        return self.processes[name].pid

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal; after SIGKILL or SIGTERM wait for the end."""
        process = self.processes[name]
        process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            process.wait(timeout=15)

    def manage(self, *words: str) -> str:
        """Run `manage.py WORDS` in this system's environment; return what it printed."""
        return manage(*words, env=self.env)

    def stop(self) -> None:
        """Stop every process, and forget the state folder with its logs."""
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=5)

        shutil.rmtree(self.state, ignore_errors=True)

    def __enter__(self) -> "RunningSystem":
        running.append(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        running.remove(self)
        self.stop()
