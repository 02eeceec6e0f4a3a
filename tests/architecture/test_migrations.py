"""A database of the first landing, with data in it, becomes one of today."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from pytest_django.plugin import DjangoDbBlocker

from apps.geo.cells import cell_of
from apps.geo.tile_address import place_of

FIRST_LANDING = [
    ("accounts", "0002_grant_epoch"),
    ("layers", "0002_hot_table"),
    ("boundaries", "0001_initial"),
    ("tracks", "0002_fix_and_position"),
    ("units", "0001_initial"),
    ("incidents", "0001_initial"),
    ("ingest", "0002_queue"),
    ("geofences", "0001_initial"),
    ("pipeline", "0001_initial"),
    ("sessions", "0001_initial"),
]
DATA = """
    INSERT INTO accounts_instance (id, kind, clock_speed, generation, created_at) VALUES (1, 'operational', 1, 1, now());
    INSERT INTO accounts_agency (slug, name, time_zone, length_unit, distance_unit, speed_unit, shifts)
        VALUES ('metro', 'Metro', '', 'ft', 'mi', 'mph', '[]');
    INSERT INTO ingest_source (agency_id, slug, name, adapter, origin, settings, interval_s, enabled, observations_per_s)
        SELECT id, 'cad', 'CAD', 'calls_json', 'live', '{}', 10, true, 100 FROM accounts_agency;
    INSERT INTO ingest_post (id, source_id, received_at, content_type, raw, accepted, rejected)
        SELECT '00000000-0000-0000-0000-000000000001', id, now(), '', 'abc', 1, 0 FROM ingest_source;
    INSERT INTO incidents_call (agency_id, source_id, number, origin, shard, rev, sequence, observed_at, received_at, recorded_at, state,
            type, priority, rank, opened_at, address, cross_streets, units, narrative, geom)
        SELECT agency_id, id, 'H-1', 'live', 1, 7, 1, now(), now(), now(), 'waiting', '', '', 9, now(), '', '', '[]', '',
            ST_SetSRID(ST_MakePoint(-95.36, 29.76), 4326) FROM ingest_source;
    INSERT INTO incidents_callrevision (call_id, sequence, observed_at, received_at, recorded_at, state, type, priority, rank, opened_at,
            address, cross_streets, units, narrative)
        SELECT id, n, observed_at + n * interval '1 h', received_at, recorded_at, CASE WHEN n = 2 THEN 'closed' ELSE 'active' END, '', '',
            9, opened_at, '', '', '[]', '' FROM incidents_call, generate_series(1, 3) n;
    INSERT INTO tracks_track (agency_id, source_id, identity, name, kind, origin, shard, rev)
        SELECT agency_id, id, identity, '', 'car', 'live', 1, 0 FROM ingest_source, unnest(ARRAY['veh-b', 'VEH-A', 'véh']) identity;
    INSERT INTO tracks_position (track_id, agency_id, observed_at, received_at, recorded_at, geom, rev)
        SELECT id, agency_id, now(), now(), now(), ST_SetSRID(ST_MakePoint(-95, 29), 4326), 1 FROM tracks_track;
"""


MEMBER = """
    INSERT INTO accounts_member (id, username, password, first_name, last_name, email, is_superuser, is_staff, is_active, date_joined)
        VALUES (7, 'dana', 'x', '', '', '', false, false, true, now())
"""
SESSION = "INSERT INTO django_session (session_key, session_data, expire_date) VALUES ('old', %s, %s)"


@pytest.fixture
def landing(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Any]:
    """An empty database beside the tests' own, as the alias "landing"."""
    with django_db_blocker.unblock():
        facts = {**connection.settings_dict, "NAME": f"{connection.settings_dict['NAME']}_landing", "OPTIONS": {}}
        login = {"host": facts["HOST"], "port": facts["PORT"], "user": facts["USER"], "dbname": connection.settings_dict["NAME"]}
        with psycopg.connect(**login, autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{facts["NAME"]}"')
            server.execute(f'CREATE DATABASE "{facts["NAME"]}"')
            connections.databases["landing"] = facts
            try:
                yield connections["landing"]
            finally:
                connections["landing"].close()
                del connections["landing"]
                del connections.databases["landing"]
                server.execute(f'DROP DATABASE "{facts["NAME"]}" WITH (FORCE)')


def test_an_instance_of_the_first_landing_keeps_its_data(landing: Any) -> None:
    MigrationExecutor(landing).migrate(FIRST_LANDING)
    with landing.cursor() as cursor:
        cursor.execute(DATA)
        cursor.execute(MEMBER)
        cursor.execute(SESSION, [SessionStore().encode({"_auth_user_id": "7"}), datetime.now(UTC) + timedelta(days=14, hours=-1)])
        cursor.execute("SELECT epoch FROM accounts_grantepoch")
        before = cursor.fetchone()[0]
    today = MigrationExecutor(landing)
    today.migrate(today.loader.graph.leaf_nodes())
    with landing.cursor() as cursor:
        cursor.execute("SELECT call.number, post.raw FROM incidents_call call, ingest_post post")
        assert [(number, bytes(raw)) for number, raw in cursor.fetchall()] == [("H-1", b"abc")]
        cursor.execute("SELECT sequence, upper(during) - lower(during) FROM incidents_callstanding ORDER BY sequence")
        assert cursor.fetchall() == [(1, timedelta(hours=2)), (3, None)]
        cursor.execute("SELECT place, cell FROM incidents_call")
        assert cursor.fetchall() == [(place_of(-95.36, 29.76), cell_of(-95.36, 29.76))]
        cursor.execute("SELECT zoom, count FROM incidents_callcount ORDER BY zoom")
        assert cursor.fetchall() == [(7, 1), (8, 1), (9, 1), (11, 1), (12, 1)]
        cursor.execute("SELECT zoom, rev, erased FROM layers_tilehead ORDER BY zoom")
        assert cursor.fetchall() == [(8, 7, 0), (14, 7, 0)]
        cursor.execute("SELECT count(*) FROM tracks_position JOIN tracks_track ON id = track_id")
        assert cursor.fetchone() == (3,)
        cursor.execute("SELECT identity FROM tracks_track ORDER BY identity")
        assert [row[0] for row in cursor.fetchall()] == ["VEH-A", "veh-b", "véh"]
        cursor.execute("SELECT member_id, begun_at, expire_date - begun_at FROM accounts_membersession WHERE session_key = 'old'")
        [(member, begun_at, lasts)] = cursor.fetchall()
        assert (member, lasts) == (7, timedelta(hours=12)), "who was signed in stays so"
        assert abs(datetime.now(UTC) - timedelta(hours=1) - begun_at) < timedelta(minutes=5)
        cursor.execute("SELECT accounts_is_entitled(7), second_factor_due - now() > interval '6 days' FROM accounts_member")
        assert cursor.fetchone() == (True, True), "the shift on duty is not sent off the map"
        cursor.execute("SELECT epoch FROM accounts_grantepoch")
        before = cursor.fetchone()[0]
        cursor.execute("UPDATE accounts_agency SET name = 'Metro Police'")
        cursor.execute("SELECT epoch FROM accounts_grantepoch")
        assert cursor.fetchone()[0] == before + 1
    assert MigrationExecutor(landing).migration_plan(today.loader.graph.leaf_nodes()) == []


def test_the_epoch_counts_again_when_its_table_was_emptied(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_grantepoch")
        for _ in range(2):
            cursor.execute("UPDATE accounts_member SET is_active = is_active")
        cursor.execute("SELECT epoch FROM accounts_grantepoch")
        assert cursor.fetchall() == [(3,)]
