"""`./rtcc bench tiles`: vector tiles of a million calls spread like Houston's, over HTTP from one web process.

    --calls 1000000 --tiles 240 --seconds 10 --no-tipg --no-count

After a restart of PostgreSQL each tile is asked for once, one after the other, over a window of almost two years (all its calls,
whatever their state), without tags. Two thirds of the tiles are drawn by how many calls they hold, a third from the city's box, empty
ones too. Of zoom 10 the city has nine tiles: they are asked for over windows of different lengths. Then every tile of zoom 8 to 16 that
holds a call is read and its number compared with a plain count of the places (`wrong_counts`), and that of its empty neighbors.

`tipg_…`: the same tiles of zoom 14 from tipg, which is installed for this into a temporary folder, on the same table with a GiST index
on its geometry, after another restart. tipg leaves out what is over 10,000 features a tile.

`…_cpu_ms`: the processor's time a tile, of the web process and PostgreSQL together; `loop_ms` tells how fast the machine was.

`revalidated_per_s`: 40 askers who know the tags ask again as fast as they can. `not_modified_share`: 50 views of 4 by 5 tiles of
zoom 11 to 16 ask once a second whether their tiles of open calls changed, while the pipeline takes in 5 changes a second (opened,
moved, closed). Prints one line of JSON.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import threading
import time
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench import tiles_city, tipg
from bench.fanout import session_of
from bench.ingest import loop_ms
from bench.system import System, launcher, private_system
from bench.tiles_asked import Asker, Heard, Tile, counts_of, mixed, revalidate, tiles_of, told

PATH = "/api/layers/calls/tiles/{z}/{x}/{y}.mvt"
ZOOMS = range(8, 17)
CHANGES_PER_S = 5
VIEWS, WIDTH, HEIGHT = 50, 5, 4


def seed() -> tuple[dict[str, Any], str, str]:
    """Make the agency, its source and a member. Return the ids, the member's session, and the source's key."""
    from apps.accounts import operations
    from apps.accounts.models import Instance, Role
    from apps.ingest.operations import create_source, issue_key
    from apps.layers.registry import names

    Instance.objects.create(kind="operational")
    agency = operations.make_agency(slug="bench", name="Bench", layers=names(), time_zone="UTC")
    source = create_source(agency=agency, slug="cad", name="CAD", adapter="calls_json", origin="live")
    key = issue_key(source, None)
    member = operations.make_member(username="bench", password="a pass phrase of the bench")
    operations.join(member=member, agency=agency, role=Role.DISPATCHER)
    return {"agency": agency.pk, "source": source.pk}, session_of(member), key


def window(begin: datetime, *, days: float, after: float = 0) -> str:
    """Return the parameters of a window that begins and ends within a month, as people's do."""
    times = (begin + timedelta(days=after), begin + timedelta(days=after + days))
    return "from={}&to={}".format(*(time.strftime("%Y-%m-%dT%H:%M:%SZ") for time in times))


def restarted(system: System) -> None:
    """Stop PostgreSQL and start it again: its buffers are empty. The operating system's cache is left as it is."""
    from django.db import connections

    system.instance.stop()
    connections["default"].close()
    connections["default"].close_pool()
    system.servers.stop_postgres()
    system.servers.start_postgres({"fsync": "on", "synchronous_commit": "on"})


class Processor:
    """The processor's time that a server and PostgreSQL use, which hardly depends on what else runs."""

    def __init__(self, system: System, pid: int) -> None:
        self.system, self.pid, self.before = system, pid, 0.0
        self.before = self.used_ms()

    def used_ms(self) -> float:
        """Return what was used since this was made; backends that ended since are not counted."""
        pids = [self.pid, *launcher().postgres_of(self.system.servers.cluster)]
        fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
        return sum(int(one[11]) + int(one[12]) for one in fields) * 1e3 / os.sysconf("SC_CLK_TCK") - self.before


def percentiles(name: str, taken: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(taken, (50, 95))
    row = {f"{name}_p50_ms": round(float(p50), 1), f"{name}_p95_ms": round(float(p95), 1), f"{name}_most_ms": round(max(taken), 1)}
    print(row, file=sys.stderr, flush=True)
    return row


def measure(
    system: System, headers: dict[str, str], counts: dict[int, Counter[Tile]], begin: datetime, tiles: int
) -> dict[str, Any]:
    """Ask for each tile once, those of zoom 14 first."""
    port, processor = system.instance.port, Processor(system, system.instance.pid("web"))
    whole = window(begin, days=tiles_city.DAYS)
    asked = mixed(counts[14], 14, busy=tiles * 2 // 3, sparse=tiles // 3)
    taken, bodies = Asker(port, f"{PATH}?{whole}", headers).all(asked)
    largest = max(map(len, bodies))
    row = {**percentiles("z14", taken), "z14_cpu_ms": round(processor.used_ms() / len(taken), 1), "loop_ms": loop_ms()}
    row["z14_calls_a_tile"] = round(float(np.mean([counts[14][tile] for tile in asked])))
    everywhere, processor = list[float](), Processor(system, system.instance.pid("web"))
    for days, after in ((730, 0), (700, 20), (365, 100), (180, 400), (45, 300), (7, 600)):
        path = f"{PATH}?{window(begin, days=days, after=after + 0.4)}"
        taken, bodies = Asker(port, path, headers).all(mixed(counts[10], 10, busy=9, sparse=3))
        everywhere += taken
        largest = max(largest, *map(len, bodies))
    row["z10_cpu_ms"] = round(processor.used_ms() / len(everywhere), 1)
    return {**row, **percentiles("z10", everywhere), "max_tile_bytes": largest}


def count_all(port: int, headers: dict[str, str], counts: dict[int, Counter[Tile]], begin: datetime) -> dict[str, Any]:
    """Read every tile that holds a call, and of zoom 12 and more 100 that lie beside one and hold none."""
    path = f"{PATH}?{window(begin, days=tiles_city.DAYS + 1)}"
    asker, rng = Asker(port, path, headers), random.Random(5)
    wrong, largest, adds_up = 0, 0, {}
    for zoom in ZOOMS:
        beside = {(zoom, x + step, y) for _, x, y in counts[zoom] for step in (-1, 1)} - set(counts[zoom])
        asked = [*counts[zoom], *rng.sample(sorted(beside), min(100, len(beside)))]
        start, total = time.monotonic(), 0
        for tile in asked:
            body = asker.ask(tile)[1]
            number, largest = told(body), max(largest, len(body))
            total, wrong = total + number, wrong + (number != counts[zoom][tile])
        adds_up[zoom] = total == counts[zoom].total()
        print(f"z{zoom}: {len(asked)} tiles tell of {total} calls ({time.monotonic() - start:.0f} s)", file=sys.stderr, flush=True)
    return {"counts_add_up": all(adds_up.values()), "wrong_counts": wrong, "max_tile_bytes": largest}


def views(lon: np.ndarray, lat: np.ndarray, seed: int, number: int, zooms: range) -> list[list[str]]:
    """Return so many screens of tiles, each around some call."""
    rng, made = np.random.default_rng(seed), []
    for place in range(number):
        zoom, at = zooms[place % len(zooms)], rng.integers(len(lon))
        x, y = tiles_of(lon[at : at + 1], lat[at : at + 1], zoom)[0].tolist()
        made.append([PATH.format(z=zoom, x=x + i - WIDTH // 2, y=y + j - HEIGHT // 2) for i in range(WIDTH) for j in range(HEIGHT)])
    return made


class Dispatch(threading.Thread):
    """Tells of CHANGES_PER_S changes a second: a call opens, another moves, another closes, where calls are."""

    def __init__(self, port: int, key: str, lon: np.ndarray, lat: np.ndarray) -> None:
        super().__init__(daemon=True)
        self.address, self.key, self.lon, self.lat = f"http://127.0.0.1:{port}/ingest/cad", key, lon, lat
        self.told, self.seconds, self.is_over = 0, 0.0, threading.Event()

    def run(self) -> None:
        rng, states = np.random.default_rng(7), ("waiting", "active", "closed")
        start = time.monotonic()
        while not self.is_over.is_set():
            number, at = divmod(self.told, 3), rng.integers(len(self.lon))
            call = {"number": f"NEW-{number[0]}", "time": datetime.now(UTC).isoformat(), "state": states[number[1]], "type": "ALARM"}
            call |= {"lon": float(self.lon[at]), "lat": float(self.lat[at])} if number[1] < 2 else {}
            self.post({"calls": [call]})
            self.told += 1
            self.is_over.wait(max(0.0, start + self.told / CHANGES_PER_S - time.monotonic()))
            self.seconds = time.monotonic() - start

    def post(self, body: dict[str, Any]) -> None:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.address, json.dumps(body).encode(), headers), timeout=10) as answer:
            assert answer.status == 202, answer.read()


def revalidations(port: int, headers: dict[str, str], key: str, places: Any, seconds: float) -> dict[str, Any]:
    lon, lat = places
    fast = asyncio.run(revalidate(port, views(lon, lat, 1, 40, range(14, 15)), headers, seconds=seconds, every_s=0))
    dispatch = Dispatch(port, key, lon, lat)
    dispatch.start()
    steady: Heard = asyncio.run(revalidate(port, views(lon, lat, 2, VIEWS, range(11, 17)), headers, seconds=2 * seconds, every_s=1.0))
    dispatch.is_over.set()
    dispatch.join(20)
    row = {
        "revalidated_per_s": fast.per_s,
        "not_modified_share": steady.not_modified_share,
        "asked_per_s_amid_changes": round(steady.statuses.total() / steady.seconds),
        "changes_per_s": round(dispatch.told / dispatch.seconds, 1),
    }
    print(row, file=sys.stderr, flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(prog="rtcc bench tiles", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--tiles", type=int, default=240, help="of zoom 14")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--no-tipg", action="store_true")
    parser.add_argument("--no-count", action="store_true", help="leave the count of all tiles out")
    args = parser.parse_args()
    with private_system() as system:
        from django.db import connection

        ids, session, key = seed()
        begin = (datetime.now(UTC) - timedelta(days=tiles_city.DAYS)).replace(microsecond=0)
        with connection.cursor() as cursor:
            row = tiles_city.make_calls(cursor, {**ids, "calls": args.calls, "begin": begin})
        print(row, file=sys.stderr, flush=True)
        lon, lat, _ = tiles_city.places(args.calls)
        counts = {zoom: counts_of(lon, lat, zoom) for zoom in ZOOMS}
        headers, port = {"Cookie": f"sessionid={session}"}, system.instance.port
        restarted(system)
        system.start("web")
        row |= measure(system, headers, counts, begin, args.tiles)
        if not args.no_count:
            counted = count_all(port, headers, counts, begin)
            row |= {**counted, "max_tile_bytes": max(row["max_tile_bytes"], counted["max_tile_bytes"])}
        with connection.cursor() as cursor:
            row |= tiles_city.kept(cursor)
        system.start("pipeline")
        row |= revalidations(port, headers, key, (lon, lat), args.seconds)
        if not args.no_tipg:
            with connection.cursor() as cursor:
                cursor.execute(tipg.SHOW)
            restarted(system)
            asked = mixed(counts[14], 14, busy=args.tiles * 2 // 3, sparse=args.tiles // 3)
            taken, bodies, cpu_ms = tipg.ask(asked, lambda pid: Processor(system, pid).used_ms)
            row |= {**percentiles("tipg_z14", taken), "tipg_z14_cpu_ms": round(cpu_ms / len(taken), 1)}
            row["tipg_max_tile_bytes"] = max(map(len, bodies))
            row["ratio_z14"] = round(row["tipg_z14_p95_ms"] / row["z14_p95_ms"], 2)
    print(json.dumps(row))


if __name__ == "__main__":
    main()
