"""Two years of calls, two weeks of fixes, fences and boundaries: made by a few statements over whole sets, the same at each run.

About one call in a hundred is reopened weeks later, one has a statement that was observed before its predecessor, one has no
place; one statement in a hundred is recorded hours late; one call in 5,000 is never closed.
"""

from typing import Any

CITY = {"west": -95.8, "south": 29.4, "width": 0.9, "height": 0.8}
PLACE = "ST_SetSRID(ST_MakePoint(%(west)s + %(width)s * random(), %(south)s + %(height)s * random()), 4326)"
PLAN = f"""
    CREATE TEMP TABLE plan AS
    SELECT n AS id, CASE WHEN n %% 100 < 25 THEN 2 WHEN n %% 100 < 76 THEN 3 WHEN n %% 100 < 99 THEN 4 ELSE 5 END AS statements,
        n %% 5000 = 0 AS stays_open, n %% 100 = 7 AS out_of_order,
        now() - interval '730 days' * (1 - n::float8 / %(calls)s) AS opened_at,
        interval '1 minute' * -ln(1 - random()) * CASE WHEN n %% 200 < 170 THEN 40 WHEN n %% 200 < 199 THEN 600 ELSE 7200 END AS lasted,
        interval '1 day' * 60 * random() AS away, CASE WHEN n %% 101 > 0 THEN {PLACE} END AS geom
    FROM generate_series(1, %(calls)s) n
"""
SAID = """
    CREATE TEMP TABLE said AS
    SELECT id AS call_id, k AS sequence, opened_at, geom, least(observed_at, now()) AS observed_at,
        least(observed_at + interval '1 second' * (0.2 + 3 * random()) + CASE WHEN random() < 0.01 THEN interval '6 hours' * random()
            ELSE interval '0' END, now()) AS recorded_at,
        CASE WHEN k = 1 THEN 'waiting' WHEN k = statements AND NOT stays_open OR statements = 5 AND k = 3 THEN 'closed'
            ELSE 'active' END AS state
    FROM plan CROSS JOIN LATERAL generate_series(1, statements) k CROSS JOIN LATERAL (
        SELECT opened_at + lasted * (k - 1) / (statements - 1) + CASE WHEN statements = 5 AND k > 3 THEN away ELSE interval '0' END
            - CASE WHEN out_of_order AND k = 2 THEN lasted ELSE interval '0' END AS observed_at
    ) told
"""
FACTS = """sequence, observed_at, received_at, recorded_at, state, type, priority, rank, opened_at, closed_at, address, cross_streets,
    units, narrative, geom, boundaries"""
VALUES = """sequence, observed_at, recorded_at, recorded_at, state, 'Disturbance', '2', 2, opened_at,
    CASE WHEN state = 'closed' THEN observed_at END, 1000 + call_id %% 9000 || ' Harbor Avenue', 'Pier Road', '["4A12"]',
    'Caller says that two people argue beside a parked car; no weapon seen. Statement ' || sequence, geom, ARRAY[%(beat)s::bigint]"""
CALLS = f"""
    INSERT INTO incidents_call (id, agency_id, source_id, number, origin, shard, rev, {FACTS})
    SELECT call_id, %(agency)s, %(source)s, 'H-' || call_id, 'live', call_id %% 64, call_id, {VALUES}
    FROM (SELECT DISTINCT ON (call_id) * FROM said ORDER BY call_id, sequence DESC) newest
"""
REVISIONS = f"INSERT INTO incidents_callrevision (call_id, {FACTS}) SELECT call_id, {VALUES} FROM said ORDER BY recorded_at"
AFTER_CALLS = """
    DROP TABLE plan, said;
    SELECT setval('incidents_call_id_seq', (SELECT max(id) FROM incidents_call));
    ANALYZE incidents_call; ANALYZE incidents_callrevision
"""
TRACKS = """
    INSERT INTO tracks_track (id, agency_id, source_id, identity, name, kind, origin, shard, rev)
    SELECT n, %(agency)s, %(source)s, 'veh-' || n, 'Car ' || n, 'car', 'live', n %% 64, 1 FROM generate_series(1, %(tracks)s) n;
    INSERT INTO units_unit (id, agency_id, call_sign, kind) SELECT n, %(agency)s, 'U' || n, 'patrol' FROM generate_series(1, %(tracks)s) n;
    INSERT INTO units_assignment (track_id, unit_id, vehicle, crew, shift, beat, starts_at, ends_at, recorded_at)
    SELECT n, n, '', '[]', '', '', since, CASE WHEN week > 0 THEN since + interval '7 days' END, since
    FROM generate_series(1, %(tracks)s) n, generate_series(0, 3) week, LATERAL (SELECT now() - interval '7 days' * (week + 1) AS since) s;
    ANALYZE tracks_track; ANALYZE units_unit; ANALYZE units_assignment
"""
DAY = """
    INSERT INTO tracks_fix (track_id, observed_at, received_at, recorded_at, geom, speed_mps, heading_deg, accuracy_m, status)
    SELECT n, seen, seen + interval '0.1 s', seen + interval '0.2 s',
        ST_SetSRID(ST_MakePoint(%(west)s + %(width)s * (n %% 141) / 141 + 0.001 * random(),
            %(south)s + %(height)s * (n / 141 %% 142) / 142 + 0.001 * random()), 4326), 12, 90, 4, 1
    FROM generate_series(%(day)s::timestamptz, %(day)s::timestamptz + interval '1 day' - interval '1 second',
        make_interval(secs => %(every_s)s)) tick,
        generate_series(1, %(tracks)s) n, LATERAL (SELECT tick + interval '1 second' * (n %% least(%(every_s)s::int, 3600))) a (seen)
    WHERE seen < %(day)s::timestamptz + interval '1 day'
"""
RING = """
    ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(%(west)s + %(width)s * (n %% 32) / 32, %(south)s + %(height)s * (n / 32 %% 32) / 32), 4326),
        {radius}, 10))
"""
FENCES = f"""
    INSERT INTO geofences_fence (id, agency_id, name, category, shape, geom, active_from, rev)
    SELECT n, %(agency)s, 'fence ' || n, '', 'polygon', {RING.format(radius=0.005)}, now() - interval '700 days', 1
    FROM generate_series(1, %(fences)s) n;
    INSERT INTO geofences_fencerevision (fence_id, recorded_at, removed, name, category, shape, geom, active_from)
    SELECT id, now() - interval '7 days' * week, false, name, category, shape, geom, active_from
    FROM geofences_fence, generate_series(1, 100, 5) week;
    ANALYZE geofences_fence; ANALYZE geofences_fencerevision
"""
BOUNDARIES = f"""
    INSERT INTO boundaries_boundary (agency_id, kind, code, name, geom, valid_from, valid_to, rev)
    SELECT %(agency)s, 'beat', n, 'Beat ' || n, {RING.format(radius=0.02)}, now() - interval '1 year' * (version + 1),
        CASE WHEN version > 0 THEN now() - interval '1 year' * version END, 1
    FROM generate_series(1, %(beats)s) n, generate_series(0, 3) version;
    ANALYZE boundaries_boundary
"""


def make_calls(cursor: Any, facts: dict[str, Any]) -> None:
    """Write the calls and their revisions without the tables' triggers: what they keep is filled once, at the end."""
    cursor.execute("SELECT setseed(0.4)")
    cursor.execute("SET session_replication_role = replica")
    cursor.execute("SET synchronous_commit = off")
    for statement in (PLAN, SAID, CALLS, REVISIONS, AFTER_CALLS):
        cursor.execute(statement, {**facts, **CITY})
    cursor.execute("RESET session_replication_role")


def make_fixes(cursor: Any, facts: dict[str, Any]) -> None:
    from datetime import UTC, datetime

    from apps.pipeline import partitions
    from apps.pipeline.owner import connect
    from apps.tracks.days import date_of, day_of

    today = day_of(datetime.now(UTC))
    days = range(today - facts["days"], today + 1)
    with connect("bench past") as connection:
        partitions.make_days(connection, days)
    cursor.execute(TRACKS, facts)
    for day in days:
        cursor.execute(DAY, {**facts, **CITY, "day": date_of(day)})
    cursor.execute("ANALYZE tracks_fix")


def make_areas(cursor: Any, facts: dict[str, Any]) -> None:
    cursor.execute(BOUNDARIES, {**facts, **CITY})
    cursor.execute(FENCES, {**facts, **CITY})
