"""`./rtcc bench fanout`: positions from one web process to thousands of browsers, beside plain Channels groups.

    --clients 2000 --units 20000 --seconds 20 --stalled 20 --panning 0.1

Prints one line of JSON. `p99_ms` is the worst browser's: from just before the batch's transaction to the receipt of the frame.
`frames_per_s` is measured at saturation: the hub ticks as fast as it can while hints come RUSH_HZ times a second.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.system import ROOT, System, private_system

HZ = 10
RUSH_HZ = 50
RUSH_S = 8.0
SETTLE_S = 2.5
LONGEST_SETTLE_S = 25
PASSWORD = "a pass phrase of the bench"
UVICORN = (
    "--ws",
    "websockets-sansio",
    "--ws-per-message-deflate",
    "false",
    "--loop",
    "uvloop",
    "--no-access-log",
    "--log-level",
    "warning",
)
POSITIONS = """
    WITH made AS (
        INSERT INTO tracks_track (agency_id, source_id, identity, name, kind, origin, shard, rev)
        SELECT %(agency)s, %(source)s, 'veh-' || n, 'Car ' || n, 'car', 'live', n %% 64, 1 FROM generate_series(1, %(units)s) n
        RETURNING id)
    INSERT INTO tracks_position (track_id, agency_id, observed_at, received_at, recorded_at, geom, speed_mps, heading_deg, status, rev)
    SELECT id, %(agency)s, now(), now(), now(),
        ST_SetSRID(ST_MakePoint(-95.8 + 0.9 * random(), 29.4 + 0.8 * random()), 4326), 30, 360 * random(), 1, 1 FROM made
"""


def populate(units: int) -> list[str]:
    """Make two agencies, their units, and members who see the first, the second and both. Return their session keys."""
    from django.db import connection

    from apps.accounts import operations
    from apps.accounts.models import Instance, Role
    from apps.ingest.models import Source
    from apps.layers.registry import names

    Instance.objects.create(kind="operational")
    agencies = [operations.make_agency(slug=slug, name=slug.title(), layers=names(), time_zone="UTC") for slug in ("north", "south")]
    for agency in agencies:
        source = Source.objects.create(agency=agency, slug=agency.slug, name=agency.slug, adapter="fixes", origin="live")
        with connection.cursor() as cursor:
            cursor.execute("SELECT setseed(0.5)")
            cursor.execute(POSITIONS, {"agency": agency.pk, "source": source.pk, "units": units // 2})
            cursor.execute("INSERT INTO layers_layerrevision (layer, agency_id, rev) VALUES ('units', %s, 1)", [agency.pk])
    sessions = []
    for name, seen in (("first", agencies[:1]), ("second", agencies[1:]), ("both", agencies)):
        member = operations.make_member(username=name, password=PASSWORD)
        for agency in seen:
            operations.join(member=member, agency=agency, role=Role.DISPATCHER)
        sessions.append(session_of(member))
    return sessions


def session_of(member: Any) -> str:
    """Sign a member in who has a second factor, without which an operational instance gives no role."""
    from django.test import Client

    from tests.world import give_app

    give_app(member)
    client = Client()
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value


def views(clients: int, sessions: list[str]) -> Iterator[dict[str, Any]]:
    """Yield different views over a city; a quarter of the browsers sees each agency alone, half both."""
    rng = np.random.default_rng(3)
    for number in range(clients):
        width, height = rng.uniform((0.05, 0.04), (0.15, 0.12)).tolist()
        west, south = (rng.uniform((-95.8, 29.4), (-94.9 - width, 30.2 - height))).tolist()
        yield {"cookie": sessions[(0, 2, 1, 2)[number % 4]], "bbox": [west, south, west + width, south + height]}


class Process:
    """A child of the bench that answers a line of JSON with a line of JSON."""

    def __init__(self, *words: str, env: dict[str, str]) -> None:
        self.child = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, words: Any) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps(words) + "\n")
        self.child.stdin.flush()

    def ask(self, *words: Any) -> dict[str, Any]:
        self.tell(words)
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.child.args} ended with {self.child.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        assert self.child.stdin is not None
        self.child.stdin.close()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()


@contextmanager
def child(*words: str, env: dict[str, str]) -> Iterator[Process]:
    process = Process(*words, env=env)
    try:
        yield process
    finally:
        process.end()


@contextmanager
def web(application: str, port: int, env: dict[str, str]) -> Iterator[None]:
    """Run uvicorn as in production until the block ends."""
    words = [
        sys.executable,
        "-m",
        "uvicorn",
        application,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--timeout-graceful-shutdown",
        "1",
        *UVICORN,
    ]
    server = subprocess.Popen(words, cwd=ROOT, env=env, stdin=subprocess.DEVNULL)
    try:
        wait_for_port(port, server)
        yield
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()


def wait_for_port(port: int, server: "subprocess.Popen[bytes]") -> None:
    import socket

    until = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the web process did not start")


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Bench:
    def __init__(self, system: System, args: argparse.Namespace) -> None:
        self.system = system
        self.args = args
        self.port = system.instance.port
        self.origin = system.instance.environment()["RTCC_ORIGIN"]
        own = system.instance.environment() | {"DJANGO_SETTINGS_MODULE": "rtcc_geo.settings", "PYTHONPATH": str(ROOT)}
        self.env = {**os.environ, **own}

    def run(self) -> dict[str, Any]:
        sessions = populate(self.args.units)
        plan = {
            "url": f"ws://127.0.0.1:{self.port}/live/", "origin": self.origin, "stalled": self.args.stalled,
            "panning": int(self.args.clients * self.args.panning), "browsers": list(views(self.args.clients, sessions)),
        }  # fmt: skip
        with web("bench.live_server:application", self.port, self.env), self.children() as (crowd, writer):
            crowd.tell(plan)
            say(f"{crowd.ask('connect')['connected']} browsers connected")
            writer.ask("move", HZ)
            calm = self.at_ten_hertz(crowd, writer)
            rush = self.at_saturation(crowd, writer)
        with web("bench.plain_group:application", self.port, self.env):
            plain = self.plain(rush["frame_bytes"])
        return {**calm, **rush, **plain, "ratio_to_group_send": round(rush["frames_per_s"] / plain["group_send_frames_per_s"], 1)}

    @contextmanager
    def children(self) -> Iterator[tuple[Process, Process]]:
        with child("-m", "bench.live_clients", env=self.env) as crowd, child("-m", "bench.live_writer", env=self.env) as writer:
            yield crowd, writer

    def at_ten_hertz(self, crowd: Process, writer: Process) -> dict[str, Any]:
        time.sleep(2)
        before = self.state()
        calm = crowd.ask("measure", self.args.seconds)
        after = self.state()
        crowd.ask("be_still")
        writer.ask("rest")
        self.wait_for_calm()
        wrong = self.wrong_states(crowd)
        cpu = (after["cpu_s"] - before["cpu_s"]) / self.args.seconds
        say(f"at {HZ} Hz: {calm}, web at {cpu:.0%} of a core, {after['behind']} behind")
        return {
            "clients": after["clients"], "units": self.args.units, **wrong, 
            **{key: round(calm[key], 1) for key in ("p50_ms", "p99_ms", "p99_of_all_ms")},
            "stalled": after["behind"],
            "stalled_kb": round(max(before["stalled_kb"], after["stalled_kb"]), 1), "web_cpu_at_10hz": round(cpu, 2),
        }  # fmt: skip

    def wait_for_calm(self) -> None:
        """Wait until the hub has nothing more to send: what it sent in a while is nothing."""
        until, before = time.monotonic() + LONGEST_SETTLE_S, -1
        while time.monotonic() < until and (frames := self.state()["frames"]) != before:
            before = frames
            time.sleep(SETTLE_S)

    def wrong_states(self, crowd: Process) -> dict[str, Any]:
        """Compare what every browser draws with the database."""
        path = Path(self.env["RTCC_STATE"]) / "drawn.json"
        answer = crowd.ask("drawn", str(path))
        truth = self.truth()
        drawn = json.loads(path.read_text())
        path.unlink()
        wrong = 0
        for one in drawn:
            should = {track: place for key in one["keys"] for track, place in truth.get(key, ())}
            wrong += dict(map(tuple, one["places"])) != should
        say(f"{wrong} of {len(drawn)} browsers draw something else than the database says; {answer}")
        return {"wrong_states": wrong + answer["closed"] + answer["gaps"], "resets": answer["resets"]}

    def truth(self) -> dict[int, list[tuple[int, int]]]:
        """Return (track, place) by tile, read from the database."""
        from django.db import connection

        from apps.live.tiles import tile_keys
        from apps.units.layers import positions_after

        found: dict[int, list[tuple[int, int]]] = {}
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM accounts_agency")
            for (agency,) in cursor.fetchall():
                records = positions_after(cursor, agency, 0)
                places = np.column_stack([records["lon"], records["lat"]]).astype(np.int32).copy().view(np.int64)[:, 0]
                keys = tile_keys(agency, records["lon"], records["lat"])
                for key, track, place in zip(keys.tolist(), records["track"].tolist(), places.tolist(), strict=True):
                    found.setdefault(key, []).append((track, place))
        return found

    def at_saturation(self, crowd: Process, writer: Process) -> dict[str, Any]:
        self.get("/bench/tick/0")
        writer.ask("rush", RUSH_HZ)
        before = self.state()
        rush = crowd.ask("count", RUSH_S)
        after = self.state()
        writer.ask("rest")
        cpu = (after["cpu_s"] - before["cpu_s"]) / (RUSH_S + 1)
        say(f"at saturation: {rush}, web at {cpu:.0%} of a core, {after['behind']} behind")
        return {"frames_per_s": round(rush["frames_per_s"]), "frame_bytes": round(rush["frame_bytes"])}

    def plain(self, size: int) -> dict[str, Any]:
        words = ["-m", "bench.plain_group", f"ws://127.0.0.1:{self.port}/plain/", str(self.args.clients), str(size)]
        done = subprocess.run([sys.executable, *words], cwd=ROOT, env=self.env, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
        return {"group_send_frames_per_s": round(json.loads(done.stdout)["frames_per_s"])}

    def state(self) -> dict[str, Any]:
        return self.get("/bench/state")

    def get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            body: dict[str, Any] = json.load(answer)
            return body


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rtcc bench fanout", description=(__doc__ or "").splitlines()[0])
    for name, default in (("clients", 2000), ("units", 20000), ("seconds", 20), ("stalled", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--panning", type=float, default=0.1)
    with private_system() as system:
        print(json.dumps(Bench(system, parser.parse_args()).run()))


if __name__ == "__main__":
    main()
