"""A whole system of its own that may be killed part by part: PostgreSQL with fsync on, Redis, web and pipeline.

The servers and the care for processes are the launcher's; this adds the ways to hurt them, and the clock.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import psycopg

from tests.running import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
POSTGRES = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "256MB", "max_wal_size": "1GB"}
HELD = "SELECT pid, count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 5395539 AND granted GROUP BY pid"
EMPTY = """
    TRUNCATE ingest_inbound, ingest_post, ingest_outcome, ingest_reject, geofences_presence, geofences_transition,
        incidents_callstanding, incidents_callrevision, incidents_call, tracks_fix, tracks_position, units_assignment, tracks_track
"""
LINE = "UPDATE accounts_instance SET clock_t0 = %s, clock_real0 = %s, clock_speed = 1 RETURNING generation"


@cache
def launcher() -> Any:
    loader = SourceFileLoader("rtcc_launcher_of_faults", str(ROOT / "rtcc"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


class NotInTime(AssertionError):
    """Something did not come back in the time that it is given."""


def wait_until(condition: Callable[[], object], *, within_s: float, what: str, every_s: float = 0.02) -> None:
    """Raises NotInTime, which says what was waited for."""
    until = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > until:
            raise NotInTime(f"not within {within_s:g} s: {what}")
        time.sleep(every_s)


@contextmanager
def own_servers() -> Iterator[Any]:
    """Servers in a temporary folder; those of a run that was killed are ended and removed first."""
    rtcc = launcher()
    with ExitStack() as stack:
        for slot in range(16):
            folder = Path(tempfile.gettempdir()) / f"rtcc-faults-{rtcc.short_hash(ROOT)}-{slot}"
            if rtcc.own_folder(folder, os.geteuid()):
                with suppress(rtcc.LauncherError):
                    stack.enter_context(rtcc.folder_lock(folder, "taken"))
                    break
        else:
            raise AssertionError("16 runs of these tests are going on")
        servers = rtcc.Servers(folder / "servers")
        if servers.data.exists():
            servers.register.stop(list(servers.register.entries()))
            servers.stop()
            servers.remove()
        try:
            servers.start_postgres(POSTGRES)
            servers.start_redis()
            yield servers
        finally:
            servers.stop()
            servers.remove()


class System:
    """Web does not restart by itself: a scenario is its supervisor. Pipelines are the nursery's, which starts killed ones again."""

    def __init__(self, servers: Any) -> None:
        self.servers = servers
        self.instance = launcher().Instance(servers, port=free_port())
        self.t0 = self.real0 = datetime.now(UTC)
        self.staged: dict[str, Any] = {}

    @property
    def orders(self) -> Path:
        return Path(self.servers.state) / "pipelines.json"

    @property
    def born(self) -> Path:
        return Path(self.servers.state) / "pipeline-pids.json"

    def order(self, **pipelines: list[str]) -> None:
        """Say which pipelines are to run, by name, each with the words that hurt it."""
        fresh = self.orders.with_suffix(".new")
        fresh.write_text(json.dumps(pipelines))
        fresh.replace(self.orders)

    def start_nursery(self) -> None:
        self.order(pipeline=[])
        self.start("nursery", "tests.faults.nursery", str(self.orders), str(self.born))
        wait_until(lambda: self.owners() and set(self.owners().values()) == {64}, within_s=60, what="a pipeline owns all shards")

    def owners(self) -> dict[int, int]:
        """Return by backend how many shards it holds."""
        return dict(self.rows(HELD))

    def set_up(self) -> None:
        self.instance.manage("migrate", "--noinput", "--verbosity", "0")
        self.staged = json.loads(self.run_module("tests.faults.staging"))
        self.set_clock(self.t0)

    def run_module(self, *words: str) -> str:
        """Run `python -m WORDS` with this system's environment; return what it printed."""
        argv = [str(launcher().PYTHON), "-m", *words]
        done = subprocess.run(argv, env=self.instance.environment(), cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, name: str, *module: str) -> None:
        """Start a process; with words of `python -m`, that one in place of the usual."""
        argv = [str(launcher().PYTHON), "-m", *module] if module else None
        self.instance.supervisor.start(self.instance.program(name, argv))

    def stop(self, *names: str) -> None:
        self.instance.stop(*names)

    def wait_web(self) -> None:
        self.instance.wait_healthy(30)

    def pid(self, name: str) -> int:
        if name.startswith("pipeline"):
            return int(json.loads(self.born.read_text())[name])
        pid = self.instance.pid(name)
        assert pid is not None, f"{name} does not run:\n{self.log(name)}"
        return int(pid)

    def log(self, name: str) -> str:
        return str(launcher().last_lines(self.servers.logs / f"{name}.log", 40))

    def kill(self, name: str) -> None:
        """kill -9, and wait for the end."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        if not name.startswith("pipeline"):
            wait_until(lambda: self.instance.pid(name) is None, within_s=5, what=f"{name} ended")

    def pids_of(self, name: str) -> list[int]:
        """All processes that "postgres", "redis", or one of ours is."""
        if name == "postgres":
            return list(launcher().postgres_of(self.servers.cluster))
        if name == "redis":
            return [self.servers.redis_pid]
        return [self.pid(name)]

    def freeze(self, name: str, seconds: float) -> None:
        """SIGSTOP for a while, then SIGCONT."""
        frozen = self.pids_of(name)
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        for pid in frozen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster and of all that it started, as when the machine lost its power."""
        postmaster = self.servers.postgres_pid
        for pid in [postmaster, *(pid for pid in self.pids_of("postgres") if pid != postmaster)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self.pids_of("postgres"), within_s=5, what="PostgreSQL ended")

    def start_postgres(self) -> None:
        self.servers.start_postgres(POSTGRES)

    def kill_redis(self) -> None:
        os.kill(self.servers.redis_pid, signal.SIGKILL)
        wait_until(lambda: self.servers.redis_pid is None, within_s=5, what="Redis ended")

    def start_redis(self) -> None:
        if self.servers.redis_pid is None:
            self.servers.start_redis()

    def connect(self) -> "psycopg.Connection[Any]":
        env = self.servers.environment()
        return psycopg.connect(
            host=env["RTCC_PGHOST"], port=env["RTCC_PGPORT"], user=env["RTCC_PGUSER"], dbname=env["RTCC_PGDATABASE"], autocommit=True
        )

    def rows(self, query: str, params: list[Any] | None = None) -> list[Any]:
        with self.connect() as connection:
            cursor = connection.execute(query, params)
            return cursor.fetchall() if cursor.description else []

    def now_us(self) -> int:
        """The instance's time, in microseconds since 1970."""
        return round((self.t0.timestamp() + time.time() - self.real0.timestamp()) * 1e6)

    def now(self) -> datetime:
        return self.t0 + (datetime.now(UTC) - self.real0)

    def set_clock(self, shows: datetime) -> None:
        """Let the instance's clock show this moment now, and wait until every process has read it."""
        self.t0, self.real0 = shows, datetime.now(UTC)
        self.rows(LINE, [self.t0, self.real0])

    def begin_anew(self) -> None:
        """Replace history by an empty one, in one commit, as the beginning of a replay does; tables in use make it try again."""
        wait_until(self.is_emptied, within_s=20, what="the tables are free to be emptied", every_s=0.25)

    def is_emptied(self) -> bool:
        try:
            with self.connect() as connection, connection.transaction():
                connection.execute("SET LOCAL lock_timeout = '3s'")
                connection.execute(EMPTY)
                connection.execute("UPDATE accounts_instance SET generation = generation + 1")
        except psycopg.OperationalError:
            return False
        return True

    def next_midnight(self) -> datetime:
        return datetime.combine(self.now().date() + timedelta(days=1), datetime.min.time(), UTC)

    def queue_is_empty(self) -> bool:
        return not self.rows("SELECT 1 FROM ingest_inbound LIMIT 1")
