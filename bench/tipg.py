"""tipg beside our own tiles: installed into a temporary folder for the length of a bench, never into the project."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from bench.system import launcher
from bench.tiles_asked import Asker, Tile

# The columns that our tiles carry, and the index that tipg searches by.
SHOW = """
    CREATE VIEW bench_calls AS
        SELECT id, number, type, priority, rank, state, origin, address, opened_at, geom FROM incidents_call WHERE geom IS NOT NULL;
    CREATE INDEX bench_calls_geom ON incidents_call USING gist (geom);
    ANALYZE incidents_call
"""
PATH = "/collections/public.bench_calls/tiles/WebMercatorQuad/{z}/{x}/{y}"
START_S = 60


def installed(folder: Path) -> Path:
    """Return the Python of a new environment that has tipg."""
    uv, home = str(Path(sys.executable).with_name("uv")), folder / "venv"
    subprocess.run([uv, "venv", "--quiet", str(home)], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(home / "bin" / "python"), "tipg", "uvicorn"], check=True)
    return home / "bin" / "python"


def ask(tiles: list[Tile], processor: Callable[[int], Callable[[], float]]) -> tuple[list[float], list[bytes], float]:
    """Ask one process of tipg for the tiles, one after the other; return milliseconds, tiles, and the processor's milliseconds.
    `processor` begins to count for a process."""
    with tempfile.TemporaryDirectory(prefix="rtcc-tipg-") as name:
        python, port = installed(Path(name)), launcher().free_port(8500)
        words = [str(python), "-m", "uvicorn", "tipg.main:app", "--port", str(port), "--no-access-log", "--log-level", "warning"]
        server = subprocess.Popen(words, cwd=name, env={**os.environ, **database()}, stdout=subprocess.DEVNULL)
        try:
            wait(port, server)
            used_ms = processor(server.pid)
            taken, bodies = Asker(port, PATH, {}).all(tiles)
            return taken, bodies, used_ms()
        finally:
            server.terminate()
            server.wait(20)


def database() -> dict[str, str]:
    """Return the environment that leads tipg to the bench's database, by its socket."""
    host, user, name = os.environ["RTCC_PGHOST"], os.environ["RTCC_PGUSER"], os.environ["RTCC_PGDATABASE"]
    return {
        "DATABASE_URL": f"postgresql://{user}@{quote(host, safe='')}:{os.environ['RTCC_PGPORT']}/{name}",
        "TIPG_DB_TABLES": '["public.bench_calls"]',
        "TIPG_DB_DATETIME_EXTENT": "false",
        "TIPG_DB_SPATIAL_EXTENT": "false",
    }


def wait(port: int, server: subprocess.Popen[bytes]) -> None:
    until, last = time.monotonic() + START_S, OSError("no answer")
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/collections/public.bench_calls?f=json", timeout=20).read()
            return
        except (urllib.error.URLError, OSError) as error:
            last = error
            time.sleep(0.2)
    raise SystemExit(f"tipg did not start (it ended with {server.poll()}): {last}")
