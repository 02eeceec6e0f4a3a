"""`./rtcc bench ingest`: fixes over HTTP through the front door and the pipeline, everything on, beside raw COPY.

--rate 20000 | max    fixes a second (default: both, one after the other)
--seconds 20          how long to send
--long                hold one snapshot open for 10 minutes under --rate and compare p99
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import uvloop

from bench.posts import SIDE, SOUTH, WEST, Plan, PlannedPost, posts
from bench.sender import Address, Tally, send
from bench.system import System, private_system

COPIED = "track_id, observed_at, received_at, recorded_at, geom, altitude_m, speed_mps, heading_deg, accuracy_m, status, clock_offset_ms"


class Lags(threading.Thread):
    """Listens to the hints: for each queue row the time from its insert at the front door to its publication."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.lags: list[tuple[float, float, int]] = []
        """When a row was queued (seconds since 1970), its lag in seconds, its fixes."""
        self.done = threading.Event()

    def run(self) -> None:
        import redis
        from django.conf import settings

        from apps.layers import hints

        channel = redis.Redis.from_url(settings.REDIS_URL).pubsub(ignore_subscribe_messages=True)
        channel.subscribe(hints.HINTS)
        while not self.done.is_set():
            message = channel.get_message(timeout=0.2)
            if message:
                now = time.time()
                self.lags += [(queued_us / 1e6, now - queued_us / 1e6, fixes) for queued_us, fixes in hints.read(message["data"]).lag]

    def percentiles(self, *, since: float = 0.0, until: float = float("inf")) -> tuple[float, float]:
        """Return p50 and p99 in milliseconds over the fixes (not over the rows) queued in a time."""
        lags = [(lag, fixes) for at, lag, fixes in self.lags if since <= at < until]
        if not lags:
            return float("nan"), float("nan")
        values, weights = np.array([lag for lag, _ in lags]), np.array([fixes for _, fixes in lags])
        order = np.argsort(values)
        share = np.cumsum(weights[order]) / weights.sum()
        p50, p99 = (values[order][min(np.searchsorted(share, at), len(values) - 1)] for at in (0.5, 0.99))
        return round(float(p50) * 1e3, 1), round(float(p99) * 1e3, 1)


def seed(system: System, fences: int) -> Address:
    """Make the agency, one source with a key, and fences of about 40 corners over the city."""
    from django.contrib.gis.geos import MultiPolygon, Polygon

    from apps.accounts.models import Agency, Instance
    from apps.accounts.operations import make_key
    from apps.geofences.models import Fence
    from apps.ingest.models import Source, SourceKey
    from apps.layers.revisions import publishing

    Instance.objects.create(id=1, kind="operational")
    agency = Agency.objects.create(slug="bench", name="Bench")
    source = Source.objects.create(agency=agency, slug="bench", name="Bench", adapter="fixes", origin="live", observations_per_s=10_000_000)
    key = make_key(agency=agency)
    SourceKey.objects.create(key=key.key, source=source)
    rng = np.random.default_rng(2)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    made = []
    for number in range(fences):
        center, radius = (WEST + SIDE * rng.random(), SOUTH + SIDE * rng.random()), 0.003 + 0.004 * rng.random()
        ring = np.c_[center[0] + radius * np.cos(angle), center[1] + radius * np.sin(angle)].tolist()
        outline = MultiPolygon(Polygon([*ring, ring[0]]))
        since = datetime.now(UTC) - timedelta(days=30)
        made.append(Fence(agency=agency, name=f"fence {number}", shape="polygon", geom=outline, active_from=since))
    with publishing() as publication:
        Fence.objects.bulk_create(made)
        publication.touch("fences", agency.id, lambda rev: Fence.objects.update(rev=rev))
    return Address(system.instance.port, source.slug, key.text)


def query(sql: str, *values: Any) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


def drain(seconds: float = 120) -> float:
    """Wait until the queue is empty; return when it was."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not query("SELECT EXISTS (SELECT FROM ingest_inbound)"):
            return time.monotonic()
        time.sleep(0.02)
    raise SystemExit("the queue was not emptied")


def copy_ceiling() -> int:
    """Rows a second of raw binary COPY of the same rows into a table with the primary key alone."""
    from apps.pipeline.owner import connect

    with connect("bench") as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY (SELECT {COPIED} FROM tracks_fix ORDER BY recorded_at, track_id) TO STDOUT (FORMAT binary)") as stream:
            data = b"".join(bytes(block) for block in stream)
        rows = cursor.execute("SELECT count(*) FROM tracks_fix").fetchone()
        cursor.execute(f"CREATE TABLE bench_ceiling AS SELECT {COPIED} FROM tracks_fix WITH NO DATA")
        cursor.execute("ALTER TABLE bench_ceiling ADD PRIMARY KEY (track_id, observed_at)")
        start = time.monotonic()
        with cursor.copy(f"COPY bench_ceiling ({COPIED}) FROM STDIN (FORMAT binary)") as stream:
            stream.write(data)
        taken = time.monotonic() - start
        cursor.execute("DROP TABLE bench_ceiling")
    assert rows is not None
    return round(rows[0] / taken)


def prepared(plan: Plan, fixes: int) -> Iterator[PlannedPost]:
    """Build the posts before the clock starts, so that building them costs the system nothing."""
    return iter([*itertools.islice(posts(plan), fixes // plan.per_post)])


def measured(
    address: Address, source: Iterator[PlannedPost], *, rate: float | None, seconds: float, connections: int, first_s: float = 0.0
) -> dict[str, Any]:
    """`first_s`: how long first reports come, at the beginning; they count, and are told apart beside."""
    lags = Lags()
    lags.start()
    before, bare_loop_ms = query("SELECT count(*) FROM tracks_fix"), loop_ms()
    start, first_until = time.monotonic(), time.time() + first_s
    tally: Tally = uvloop.run(send(address, source, rate=rate, seconds=seconds, connections=connections))
    ended = drain()
    time.sleep(0.3)
    lags.done.set()
    lags.join()
    stored = query("SELECT count(*) FROM tracks_fix") - before
    p50, p99 = lags.percentiles()
    parts = {"p99_ms_first_reports": lags.percentiles(until=first_until)[1], "p99_ms_after_them": lags.percentiles(since=first_until)[1]}
    return {
        "offered": tally.offered,
        "accepted": tally.accepted - tally.repeated,
        "repeated": tally.repeated,
        "stored": stored,
        "refused": tally.refused,
        "fixes_per_s": round(stored / (ended - start)),
        "p50_ms": p50,
        "p99_ms": p99,
        "loop_ms": [bare_loop_ms, loop_ms()],
        **(parts if first_s else {}),
    }


def introduce(address: Address, source: Iterator[PlannedPost], args: argparse.Namespace) -> None:
    """Let every device report once before the clock starts, where two times of one fleet are compared."""
    uvloop.run(send(address, itertools.islice(source, -(-args.tracks // args.per_post)), rate=None, seconds=60, connections=8))
    drain()


def loop_ms() -> float:
    """Milliseconds that a million turns of a bare loop take now: how fast the machine is, beside figures that depend on it."""
    start, total = time.perf_counter(), 0
    for number in range(1_000_000):
        total += number
    return round((time.perf_counter() - start) * 1e3, 1)


def pipelines(args: argparse.Namespace) -> list[str]:
    return ["pipeline", *(f"pipeline:{copy}" for copy in range(2, args.pipelines + 1))]


def at_rate(args: argparse.Namespace, rate: int) -> dict[str, Any]:
    """The devices' clocks are right: a fix is as old as building the posts took. First reports are in it."""
    with private_system() as system:
        address = seed(system, args.fences)
        system.start("web", *pipelines(args))
        step_s = args.tracks / rate
        plan = Plan(args.tracks, args.per_post, time.time(), step_s)
        source = prepared(plan, round(rate * args.seconds * 1.05))
        row = measured(address, source, rate=rate, seconds=args.seconds, connections=8, first_s=step_s)
        return {**row, "rate": rate, "fsync": query("SHOW fsync"), "synchronous_commit": query("SHOW synchronous_commit")}


def at_most(args: argparse.Namespace) -> dict[str, Any]:
    with private_system() as system:
        address = seed(system, args.fences)
        system.start("web", *pipelines(args))
        turns = args.most_fixes / args.tracks
        plan = Plan(args.tracks, args.per_post, time.time() - 60 - turns, 1.0)
        source = prepared(plan, args.most_fixes)
        row = measured(address, source, rate=None, seconds=args.seconds, connections=8)
        ceiling = copy_ceiling()
        return {**row, "rate": "max", "copy_rows_per_s": ceiling, "share_of_ceiling": round(row["fixes_per_s"] / ceiling, 3)}


def one_fix_a_post(args: argparse.Namespace) -> dict[str, Any]:
    with private_system() as system:
        address = seed(system, args.fences)
        system.start("web")
        plan = Plan(args.tracks, 1, time.time() - 60, 1.0, 0.0, 0.0)
        tally = uvloop.run(send(address, prepared(plan, 60_000), rate=None, seconds=min(args.seconds, 10), connections=32))
        return {"http_posts_per_s": round(tally.accepted / tally.seconds), "http_posts": tally.accepted, "refused": tally.refused}


def with_old_snapshot(args: argparse.Namespace, rate: int) -> dict[str, Any]:
    """p99 over 30 s before, and over the last 60 s of ten minutes in which one snapshot stays open."""
    with private_system() as system:
        from apps.pipeline.owner import connect  # needs Django's settings, which the system sets

        address = seed(system, args.fences)
        system.start("web", *pipelines(args))
        source = posts(Plan(args.tracks, args.per_post, time.time(), args.tracks / rate))
        introduce(address, source, args)
        fresh = measured(address, source, rate=rate, seconds=30, connections=8)
        with connect("bench snapshot") as holder:
            holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            holder.execute("SELECT count(*) FROM layers_layerrevision")
            measured(address, source, rate=rate, seconds=args.snapshot_s - 60, connections=8)
            old = measured(address, source, rate=rate, seconds=60, connections=8)
    growth = round(old["p99_ms"] / fresh["p99_ms"], 2)
    return {"snapshot_s": args.snapshot_s, "p99_ms_before": fresh["p99_ms"], "p99_ms_with_snapshot": old["p99_ms"], "p99_growth": growth}


def main() -> None:
    parser = argparse.ArgumentParser(prog="rtcc bench ingest", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", default="both")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--tracks", type=int, default=20_000)
    parser.add_argument("--per-post", type=int, default=200)
    parser.add_argument("--fences", type=int, default=1_000)
    parser.add_argument("--most-fixes", type=int, default=1_600_000)
    parser.add_argument("--pipelines", type=int, default=1, help="copies that share the shards")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--snapshot-s", type=float, default=600)
    parser.add_argument("--part", choices=["posts", "max", "rate", "snapshot"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        print(json.dumps(run(args)))
        return
    parts = ["posts", "max"] if args.rate == "both" else ["max"] if args.rate == "max" else []
    parts += [] if args.rate == "max" else ["rate", *(["snapshot"] if args.long else [])]
    result: dict[str, Any] = {}
    for part in parts:
        result |= in_its_own_process(part)
    print(json.dumps(result))


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Run one part. What `max` shares with `rate` by name is told under `max`; the top level keeps the figures of the issue."""
    rate = 20_000 if args.rate in {"both", "max"} else int(args.rate)
    if args.part == "posts":
        return tell("one fix a post", one_fix_a_post(args))
    if args.part == "max":
        row = tell("as fast as it goes", at_most(args))
        return {"max": row, **{key: row[key] for key in ("fixes_per_s", "copy_rows_per_s", "share_of_ceiling")}}
    if args.part == "snapshot":
        return tell("with one old snapshot", with_old_snapshot(args, rate))
    row = tell(f"at {rate} fixes a second", at_rate(args, rate))
    return {f"at_{rate}": row, **{key: row[key] for key in ("offered", "accepted", "stored", "p50_ms", "p99_ms")}}


def in_its_own_process(part: str) -> dict[str, Any]:
    """Each part has servers of its own, and Django knows one database a process. What the part before left in memory is written to
    disk first: it would be written in the first seconds of this one."""
    os.sync()
    done = subprocess.run([sys.executable, "-m", "bench.ingest", *sys.argv[1:], "--part", part], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"the part {part} failed")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def tell(title: str, row: dict[str, Any]) -> dict[str, Any]:
    print(f"{title}: {json.dumps(row)}", file=sys.stderr, flush=True)
    return row


if __name__ == "__main__":
    main()
