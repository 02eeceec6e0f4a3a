"""This project, or an earlier landing of it, in a folder of its own: started, upgraded, backed up and destroyed by its own ./rtcc."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import psycopg

from tests.running import free_port

ROOT = Path(__file__).resolve().parent.parent
CODE = ("apps", "rtcc_geo")
FILES = ("manage.py", "rtcc", "requirements.txt", "pyproject.toml")
SHARED = (".venv", "static", "docker", "tests")


@dataclass
class Installation:
    """`asked_port`: at random, since an old landing takes its port long after it has chosen it."""

    folder: Path
    asked_port: int = field(default_factory=free_port)

    def lay(self, tree: Path = ROOT) -> None:
        """Put the code of a tree here, in place of what was here; the venv, the client and the tests are this project's."""
        self.folder.mkdir(exist_ok=True)
        for name in CODE:
            shutil.rmtree(self.folder / name, ignore_errors=True)
            if (tree / name).exists():
                shutil.copytree(tree / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in FILES:
            shutil.copy(tree / name, self.folder / name)
        for name in SHARED:
            if not (self.folder / name).exists():
                (self.folder / name).symlink_to(ROOT / name)

    @property
    def launcher(self) -> Any:
        """The launcher that lies here now, as a module."""
        loader = SourceFileLoader(f"rtcc_of_{abs(hash(self.folder))}", str(self.folder / "rtcc"))
        spec = spec_from_loader(loader.name, loader)
        assert spec is not None
        module = module_from_spec(spec)
        sys.modules[loader.name] = module
        loader.exec_module(module)
        return module

    @property
    def project(self) -> Any:
        return self.launcher.Project()

    @property
    def port(self) -> int:
        return int(self.project.remembered()["port"])

    def rtcc(self, *words: str, timeout_s: float = 300) -> "subprocess.CompletedProcess[str]":
        argv = [str(self.folder / ".venv" / "bin" / "python"), str(self.folder / "rtcc"), *words]
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL, env=self.environment())

    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("RTCC_")}

    def must(self, *words: str) -> str:
        """Run a verb that has to succeed; return what it printed."""
        done = self.rtcc(*words)
        assert done.returncode == 0, f"./rtcc {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self, kind: str = "operational") -> None:
        """Start as `up --detach` does after its set-up steps."""
        launcher = self.launcher
        request = {"kind": kind, "port": self.asked_port, "detach": True, "began": 0, "download_s": 0, "download_bytes": 0}
        log = self.folder / "up.log"
        with log.open("wb") as out:
            child = subprocess.Popen(
                [str(launcher.PYTHON), str(self.folder / "rtcc"), "_serve", json.dumps(request)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, env=self.environment(),
            )  # fmt: skip
        launcher.wait_until(lambda: launcher.Project().is_up() or child.poll() is not None, 180)
        assert child.poll() is None, log.read_text()
        assert launcher.Project().is_up(), log.read_text()

    def pids(self) -> dict[str, int]:
        register = self.project.servers.register
        return {name: pid for name in register.entries() if (pid := register.pid(name)) is not None}

    def run_module(self, *words: str) -> str:
        """Run `python -m WORDS` on the code that lies here; return what it printed."""
        launcher = self.launcher
        env = {**launcher.Project().environment(), "PYTHONPATH": str(self.folder)}
        argv = [str(launcher.PYTHON), "-m", *words]
        done = subprocess.run(argv, env=env, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def rows(self, query: str, params: list[Any] | None = None) -> list[Any]:
        env = self.project.servers.environment()
        names = {"host": "RTCC_PGHOST", "port": "RTCC_PGPORT", "user": "RTCC_PGUSER", "dbname": "RTCC_PGDATABASE"}
        with psycopg.connect(autocommit=True, **{key: env[name] for key, name in names.items()}) as connection:
            cursor = connection.execute(query, params)
            return cursor.fetchall() if cursor.description else []

    def destroy(self) -> None:
        """What a burning machine leaves: nothing of the data, and no process."""
        servers, pids = self.project.servers, self.pids()
        for pid in sorted({*pids.values(), *servers.postgres_processes}, key=lambda pid: pid != pids.get("supervisor")):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        assert self.launcher.wait_until(lambda: not self.pids() and not servers.postgres_processes, 10)
        shutil.rmtree(servers.data)

    def remove(self) -> None:
        if self.project.servers.data.exists():
            self.rtcc("down")
            self.project.servers.remove()


@contextmanager
def installed(folder: Path, tree: Path = ROOT) -> Iterator[Installation]:
    """An installation that leaves nothing behind."""
    installation = Installation(folder)
    installation.lay(tree)
    try:
        yield installation
    finally:
        installation.remove()
