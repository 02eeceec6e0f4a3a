"""`./rtcc bench past`: how long the past takes to ask, over HTTP, with two years of calls and two weeks of fixes.

    --calls 1000000 --tracks 20000 --days 14 --every-s 1800 --moments 60

Makes about three statements a call (see past_city), then asks the board and the layers at random moments, warm and one after the
other. `wrong_answers` counts moments at which the layer of calls differs from a plain reading of every statement.
`…_cpu_ms` is the processor time an answer, of the web process and PostgreSQL together: what is left when nothing else runs.
`keep_us` is what the trigger adds to the insert of one statement. Prints one line of JSON.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np

from bench import past_city
from bench.fanout import session_of
from bench.system import System, launcher, private_system

BOX = "-95.5,29.6,-95.3,29.8"
CHECKED = 6
PLAIN = """
    SELECT call_id FROM (
        SELECT DISTINCT ON (call_id) call_id, state FROM incidents_callrevision WHERE observed_at <= %s AND recorded_at <= %s
        ORDER BY call_id, sequence DESC
    ) stood WHERE state <> 'closed' ORDER BY call_id
"""
SAY = """
    INSERT INTO incidents_callrevision (call_id, sequence, observed_at, received_at, recorded_at, state, type, priority, rank, opened_at,
        address, cross_streets, units, narrative)
    SELECT id, 1000 + %(turn)s, now(), now(), now(), 'active', '', '', 9, opened_at, '', '', '[]', ''
    FROM incidents_call WHERE id %% 331 = 0
"""
TRIGGER = "ALTER TABLE incidents_callrevision {} TRIGGER incidents_callrevision_standing"
Answer = dict[str, Any]


def seed() -> tuple[dict[str, Any], str]:
    """Make the agency, its source and a member; return the ids that the data needs, and the member's session."""
    from apps.accounts import operations
    from apps.accounts.models import Instance, Role
    from apps.ingest.models import Source
    from apps.layers.registry import names

    Instance.objects.create(kind="operational")
    agency = operations.make_agency(slug="bench", name="Bench", layers=names(), time_zone="UTC")
    source = Source.objects.create(agency=agency, slug="cad", name="CAD", adapter="calls_json", origin="live")
    member = operations.make_member(username="bench", password="a pass phrase of the bench")
    operations.join(member=member, agency=agency, role=Role.DISPATCHER)
    return {"agency": agency.pk, "source": source.pk, "beat": 1}, session_of(member)


def populate(cursor: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """Fill the tables; return how much, and how long the migration's own filling took."""
    past_city.make_areas(cursor, facts)
    past_city.make_calls(cursor, facts)
    start = time.monotonic()
    cursor.execute(import_module("apps.incidents.migrations.0002_standing").FILL)
    filled = round(time.monotonic() - start, 1)
    cursor.execute("ANALYZE incidents_callstanding")
    past_city.make_fixes(cursor, facts)
    counts = {name: count(cursor, table) for name, table in (("revisions", "incidents_callrevision"), ("fixes", "tracks_fix"))}
    return {"calls": facts["calls"], **counts, "fill_s": filled}


def count(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {table}")
    return int(cursor.fetchone()[0])


class Reader:
    """A browser's connection to the server, signed in."""

    def __init__(self, system: System, session: str) -> None:
        self.system = system
        self.postgres_of = launcher().postgres_of
        self.connection = HTTPConnection("127.0.0.1", system.instance.port, timeout=60)
        self.headers = {"Cookie": f"sessionid={session}"}

    def cpu_ms(self) -> float:
        """Return the processor time that the web process and PostgreSQL have used; backends that ended since are not counted."""
        pids = [self.system.instance.pid("web"), *self.postgres_of(self.system.servers.cluster)]
        fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
        return sum(int(one[11]) + int(one[12]) for one in fields) * 1e3 / os.sysconf("SC_CLK_TCK")

    def get(self, path: str, **query: str | int) -> tuple[float, Answer]:
        """Return the milliseconds until the whole answer was there, and the answer."""
        start = time.perf_counter()
        self.connection.request("GET", f"{path}?{urlencode(query)}", headers=self.headers)
        response = self.connection.getresponse()
        body = response.read()
        taken = (time.perf_counter() - start) * 1e3
        if response.status != 200:
            raise SystemExit(f"{path} answered {response.status}: {body[:200]!r}")
        return taken, json.loads(body)


def moments(args: argparse.Namespace, *, days: float) -> list[datetime]:
    rng, now = random.Random(5), datetime.now(UTC)
    return [now - timedelta(days=rng.uniform(0.04 * days, 0.96 * days)) for _ in range(args.moments)]


def timed(reader: Reader, name: str, ask: Callable[[str], tuple[float, Answer]], times: list[datetime]) -> dict[str, float]:
    """Ask at each moment; return the median and the worst, and the processor's part. The first asking warms what is kept."""
    ask(times[0].isoformat())
    before = reader.cpu_ms()
    taken = [ask(at.isoformat())[0] for at in times]
    cpu = (reader.cpu_ms() - before) / len(times)
    row = {f"{name}_p50_ms": round(float(np.median(taken)), 1), f"{name}_most_ms": round(max(taken), 1), f"{name}_cpu_ms": round(cpu, 1)}
    print(row, file=sys.stderr, flush=True)
    return row


def measure(reader: Reader, args: argparse.Namespace) -> dict[str, float]:
    years, weeks = moments(args, days=729), moments(args, days=args.days)
    board, features = "/api/boards/calls", "/api/layers/{}/features".format
    after = lambda at: (datetime.fromisoformat(at) + timedelta(hours=1)).isoformat()  # noqa: E731
    return {
        **timed(reader, "board", lambda at: reader.get(board, at=at), years),
        **timed(reader, "board_known", lambda at: reader.get(board, at=at, known=after(at)), years),
        **timed(reader, "calls_box", lambda at: reader.get(features("calls"), at=at, bbox=BOX), years),
        **timed(reader, "calls", lambda at: reader.get(features("calls"), at=at), years),
        **timed(reader, "units", lambda at: reader.get(features("units"), at=at), weeks),
        **timed(reader, "units_box", lambda at: reader.get(features("units"), at=at, bbox=BOX), weeks),
        **timed(reader, "units_5000", lambda at: reader.get(features("units"), at=at, limit=5000), weeks),
        **timed(reader, "fences", lambda at: reader.get(features("fences"), at=at), years),
        **timed(reader, "boundaries", lambda at: reader.get(features("boundaries"), at=at), years),
    }


def wrong_answers(cursor: Any, reader: Reader, args: argparse.Namespace) -> dict[str, Any]:
    """Ask first and read plainly afterwards, since a plain reading takes longer than an idle connection is kept."""
    asked = [(at, at + timedelta(minutes=(0, 1, 600)[place % 3])) for place, at in enumerate(moments(args, days=729)[:CHECKED])]
    path = "/api/layers/calls/features"
    answers = [reader.get(path, at=at.isoformat(), known=known.isoformat(), limit=5000)[1] for at, known in asked]
    wrong, sizes = 0, []
    for (at, known), answer in zip(asked, answers, strict=True):
        cursor.execute(PLAIN, [at, known])
        stood = [row[0] for row in cursor.fetchall()]
        sizes.append(len(stood))
        wrong += [feature["id"] for feature in answer["features"]] != stood
    return {"checked": CHECKED, "wrong_answers": wrong, "open_calls": round(float(np.mean(sizes)))}


def keep_us(cursor: Any) -> float:
    """Microseconds that the trigger adds to one statement of a call that has others; undone afterwards."""
    cost = {}
    for state in ("DISABLE", "ENABLE"):
        cursor.execute("BEGIN")
        cursor.execute(TRIGGER.format(state))
        taken = []
        for turn in range(6):
            start = time.monotonic()
            cursor.execute(SAY, {"turn": turn})
            taken.append((time.monotonic() - start) / cursor.rowcount * 1e6)
        cursor.execute("ROLLBACK")
        cost[state] = float(np.median(taken))
    return round(cost["ENABLE"] - cost["DISABLE"], 1)


def explain(cursor: Any, args: argparse.Namespace) -> None:
    """Tell the plans of the two kinds of past, of calls and of units."""
    from apps.incidents import queries as calls
    from apps.units import queries as units

    values = {"agencies": [1], "id": 0, "limit": 1000, "known": "infinity"}
    for sql, days in ((calls.PAST, 300), (units.PAST, args.days / 2)):
        at = datetime.now(UTC) - timedelta(days=days)
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + sql.format(window="TRUE"), {**values, "at": at})
        print("\n".join(row[0] for row in cursor.fetchall()), file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="rtcc bench past", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--tracks", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--every-s", type=int, default=1_800, help="seconds between two fixes of a device")
    parser.add_argument("--moments", type=int, default=60)
    parser.add_argument("--explain", action="store_true", help="also print the plans")
    args = parser.parse_args()
    with private_system() as system:
        from django.db import connection

        ids, session = seed()
        facts = {**ids, **vars(args), "fences": 1000, "beats": 300}
        with connection.cursor() as cursor:
            made = populate(cursor, facts)
            system.start("web")
            reader = Reader(system, session)
            row = {**made, **measure(reader, args), **wrong_answers(cursor, reader, args), "keep_us": keep_us(cursor)}
            if args.explain:
                explain(cursor, args)
    print(json.dumps(row))


if __name__ == "__main__":
    main()
