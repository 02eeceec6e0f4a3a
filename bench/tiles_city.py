"""A million calls where Houston's were: places of its recorded board, drawn again; or, where no recorded data lies beside the project,
of a synthetic city with the same concentration.

Of the recorded calls the densest 5 % of 556 tiles of zoom 14 hold a quarter, the densest 14 % a half; the busiest address has a call in
400. The synthetic city has 110,000 addresses around 90 centers, which calls come back to by a power law.
"""

import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RECORDED = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "calls" / "houston_cad_2021.parquet"
DAYS = 730
OPEN_SHARE = 0.0005
TYPES = ("TRAFFIC STOP", "DISTURBANCE", "EMS", "ALARM", "CRASH", "WELFARE CHECK", "SUSPICIOUS PERSON", "BURGLARY")
ROWS = """
    CREATE TEMP TABLE given (id bigint, lon float8, lat float8, cell bigint, type text, minutes float8, is_open bool);
"""
MAKE = """
    INSERT INTO incidents_call (id, agency_id, source_id, number, origin, shard, rev, cell, sequence, observed_at, received_at, recorded_at,
        state, type, priority, rank, opened_at, closed_at, address, cross_streets, units, narrative, geom)
    SELECT id, %(agency)s, %(source)s, 'H-' || id, 'live', id %% 64, id, cell, 2, opened_at + interval '1 h', opened_at, opened_at,
        CASE WHEN is_open THEN 'active' ELSE 'closed' END, type, id %% 5 + 1, id %% 5, opened_at,
        CASE WHEN NOT is_open THEN opened_at + interval '1 h' END, 1000 + id %% 9000 || ' Harbor Avenue', 'Pier Road', '["4A12"]',
        'Caller says that two people argue beside a parked car; no weapon seen.', ST_SetSRID(ST_MakePoint(lon, lat), 4326)
    FROM given, LATERAL (SELECT %(begin)s::timestamptz + minutes * interval '1 minute' AS opened_at) said ORDER BY id
"""
TRIGGER = "ALTER TABLE incidents_call {} TRIGGER incidents_call_tiles"
# One call after the other, as the pipeline writes them.
WRITE = """
    DO $$ DECLARE one bigint; BEGIN
        FOR one IN SELECT id FROM incidents_call WHERE id % 1009 = {turn} LOOP UPDATE incidents_call SET {change} WHERE id = one; END LOOP;
    END $$
"""
CHANGES = {"keep_us": "rev = rev + 1", "move_us": "rev = rev + 1, cell = cell - 8, geom = ST_Translate(geom, 0.1, 0.1)"}


def places(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Return longitudes and latitudes of so many calls, and where they come from."""
    rng = np.random.default_rng(11)
    if RECORDED.exists():
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(RECORDED, columns=["lon", "lat"])
        lon, lat = (table[name].to_numpy(zero_copy_only=False) for name in ("lon", "lat"))
        known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
        chosen = np.concatenate([known, rng.choice(known, max(0, count - len(known)))])[:count]
        return lon[chosen], lat[chosen], "houston_cad_2021"
    return *synthetic(count, rng), "synthetic"


def synthetic(count: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    centers = np.array([-95.38, 29.76]) + rng.normal(0, (0.12, 0.1), (90, 2))
    of = rng.choice(90, 110_000, p=(weights := 1 / np.arange(1, 91) ** 0.8) / weights.sum())
    addresses = np.clip(centers[of] + rng.normal(0, (0.02, 0.018), (110_000, 2)), (-95.79, 29.52), (-95.03, 30.21))
    busy = 1 / np.arange(10, 110_010) ** 0.75
    return tuple(addresses[rng.choice(110_000, count, p=busy / busy.sum())].T)


def make_calls(cursor: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """Write the calls as the migration finds those of an older server, then fill what tiles are made of by its own statement."""
    from apps.geo.cells import cell_of

    lon, lat, origin = places(facts["calls"])
    rng = np.random.default_rng(12)
    minutes = np.sort(rng.uniform(0, DAYS * 1440, len(lon)))
    is_open = rng.random(len(lon)) < OPEN_SHARE
    cursor.execute(ROWS)
    with cursor.copy("COPY given FROM STDIN") as copy:
        for place, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True)):
            copy.write_row((place + 1, x, y, cell_of(x, y), TYPES[place * 7919 % 8], minutes[place], bool(is_open[place])))
    cursor.execute(TRIGGER.format("DISABLE"))
    cursor.execute(MAKE, facts)
    start = time.monotonic()
    cursor.execute(import_module("apps.incidents.migrations.0007_tiles").FILL)
    filled = time.monotonic() - start
    cursor.execute(TRIGGER.format("ENABLE"))
    cursor.execute("SELECT setval('incidents_call_id_seq', (SELECT max(id) FROM incidents_call))")
    cursor.execute("INSERT INTO layers_layerrevision (layer, agency_id, rev) VALUES ('calls', %s, %s)", [facts["agency"], len(lon)])
    for table in ("incidents_call", "incidents_callcount", "layers_tilehead"):
        cursor.execute(f"VACUUM ANALYZE {table}")
    return {"calls": len(lon), "spread": origin, "fill_s": round(filled, 1)}


def kept(cursor: Any) -> dict[str, float]:
    """Return the microseconds that the trigger adds to the write of a call that stays where it is, and to one that moves; undone."""
    row = {}
    for name, change in CHANGES.items():
        cost: dict[str, float] = {}
        for state in ("DISABLE", "ENABLE"):
            cursor.execute("BEGIN")
            cursor.execute(TRIGGER.format(state))
            cursor.execute("SELECT count(*) FROM incidents_call WHERE id % 1009 = 1")
            number, taken = cursor.fetchone()[0], []
            for turn in range(1, 6):
                start = time.monotonic()
                cursor.execute(WRITE.format(turn=turn, change=change))
                taken.append((time.monotonic() - start) / number * 1e6)
            cursor.execute("ROLLBACK")
            cost[state] = float(np.median(taken))
        row[name] = round(cost["ENABLE"] - cost["DISABLE"], 1)
    return row
