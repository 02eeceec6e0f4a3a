"""Moves units as the pipeline would: positions and revisions in one transaction, after commit a hint. `python -m bench.live_writer`

Reads lines such as ["move", 10], batches a second, and answers each with {}. Every unit moves once a second. "rush" leaves the
database out, to find out what a hub can do when PostgreSQL is not the limit; "rest" does nothing.
"""

import json
import select
import sys
import time

import django
import numpy as np
import psycopg

django.setup()

from apps.layers.hints import LayerChange, publish  # noqa: E402 (settings must be ready first)
from apps.live.reader import connect  # noqa: E402
from apps.units.layers import positions_after  # noqa: E402

BOUNDS = ((-95_8000000, -94_9000000), (29_4000000, 30_2000000))
STEP = 3000  # 1e-7 degrees in a second, about 30 m
HEADS = "SELECT agency_id, rev FROM layers_layerrevision WHERE layer = 'units' ORDER BY layer, agency_id"
LOCK = f"{HEADS} FOR UPDATE"
BUMP = "UPDATE layers_layerrevision SET rev = rev + 1 WHERE layer = 'units'"
MOVE = """
    UPDATE tracks_position SET geom = ST_SetSRID(ST_MakePoint(moved.lon, moved.lat), 4326), observed_at = to_timestamp(%s),
        received_at = to_timestamp(%s), recorded_at = now(), rev = revs.rev
    FROM unnest(%s::bigint[], %s::float8[], %s::float8[]) AS moved (id, lon, lat), unnest(%s::bigint[], %s::bigint[]) AS revs (agency, rev)
    WHERE track_id = moved.id AND agency_id = revs.agency
"""


class Fleet:
    """The units of one agency and the way each is going."""

    def __init__(self, records: np.ndarray, rng: np.random.Generator) -> None:
        self.records = records
        angle = rng.uniform(0, 2 * np.pi, len(records))
        self.step = {"lon": np.rint(np.cos(angle) * STEP).astype(np.int32), "lat": np.rint(np.sin(angle) * STEP).astype(np.int32)}

    def move(self, part: slice, at_us: int) -> np.ndarray:
        for axis, (low, high) in zip(("lon", "lat"), BOUNDS, strict=True):
            place = self.records[axis][part]
            step = self.step[axis][part]
            step[(place + step < low) | (place + step > high)] *= -1
            place += step
        self.records["observed_us"][part] = self.records["received_us"][part] = at_us
        return self.records[part]


def publish_batch(connection: psycopg.Connection, fleets: dict[int, Fleet], part: slice) -> None:
    at = time.time()
    moved = {agency: fleet.move(part, int(at * 1e6)) for agency, fleet in fleets.items()}
    every = np.concatenate(list(moved.values()))
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(LOCK)
        revs = dict(cursor.fetchall())
        cursor.execute(BUMP)
        places = [every["track"].tolist(), (every["lon"] / 1e7).tolist(), (every["lat"] / 1e7).tolist()]
        cursor.execute(MOVE, [at, at, *places, list(revs), [rev + 1 for rev in revs.values()]])
    publish([LayerChange("units", agency, revs[agency], revs[agency] + 1, records.tobytes()) for agency, records in moved.items()])


def publish_hints(connection: psycopg.Connection, fleets: dict[int, Fleet], part: slice) -> None:
    """Hints whose revisions the database has, without the rows: writing those would take the processor from what is measured.

    A hub that hears of revisions which the database has not reads everything anew.
    """
    at_us = int(time.time() * 1e6)
    revs = dict(connection.execute(f"{BUMP} RETURNING agency_id, rev").fetchall())
    connection.commit()
    records = {agency: fleet.move(part, at_us).tobytes() for agency, fleet in fleets.items()}
    publish([LayerChange("units", agency, revs[agency] - 1, revs[agency], records[agency]) for agency in fleets])


def work(kind: str, rate: int, connection: psycopg.Connection, fleets: dict[int, Fleet]) -> str:
    """Publish `rate` batches a second until a line comes; return that line."""
    publish_one = publish_hints if kind == "rush" else publish_batch
    started, batches = time.monotonic(), 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        publish_one(connection, fleets, slice(batches % rate, None, rate))
        batches += 1
        time.sleep(max(0.0, started + batches / rate - time.monotonic()))
    print(f"{batches} batches in {time.monotonic() - started:.1f} s", file=sys.stderr)
    return sys.stdin.readline()


def main() -> None:
    rng = np.random.default_rng(7)
    with connect() as connection:
        agencies = [agency for (agency,) in connection.execute("SELECT id FROM accounts_agency ORDER BY id")]
        with connection.cursor() as cursor:
            fleets = {agency: Fleet(positions_after(cursor, agency, 0), rng) for agency in agencies}
        line = sys.stdin.readline()
        while line:
            print("{}", flush=True)
            kind, *rate = json.loads(line)
            line = sys.stdin.readline() if kind == "rest" else work(kind, *rate, connection, fleets)


main()
