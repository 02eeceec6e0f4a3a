"""What the database shows a viewer, whatever the application asks for; and that nothing of it stays on the connection."""

from datetime import datetime
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from apps.accounts.models import Grant, Member, Role
from apps.accounts.operations import give_grant, withdraw_grant
from apps.accounts.viewer import Viewer, viewer_of
from apps.incidents import queries as calls
from apps.layers.definition import PageQuery
from apps.layers.net import READER, seen_by
from apps.layers.registry import catalog
from tests.planted import Planted, plant
from tests.world import NOON, make_instance, make_member, minutes

LATER = NOON + minutes(5)
WHO = "SELECT current_user::text, current_setting('rtcc.member', true), pg_backend_pid()"
# PostGIS's own, and what things are called: no places, no facts.
OF_EVERYBODY = {"spatial_ref_sys", "geometry_columns", "geography_columns"}
NAMES = {"accounts_agency", "accounts_statuscode", "accounts_prioritycode", "ingest_source"}


@pytest.fixture
def planted(db: None) -> tuple[Planted, Planted]:
    make_instance()
    return plant("own", at=NOON, seat=1), plant("foreign", at=NOON, seat=2)


@pytest.fixture
def viewer(planted: tuple[Planted, Planted]) -> Viewer:
    return viewer_of(make_member(planted[0].agency).pk)


def asked_for_all(planted: tuple[Planted, ...], *, at: datetime | None, bbox: Any = None) -> PageQuery:
    """A query that forgot who asks."""
    return PageQuery([one.agency.pk for one in planted], bbox, at, None, (0, 0), 1000)


@pytest.mark.parametrize("bbox", [None, (-89.0, 41.0, -88.0, 42.0)])
@pytest.mark.parametrize("at", [None, LATER])
@pytest.mark.parametrize("name", ["units", "calls", "fences", "boundaries"])
def test_a_query_that_names_too_many_agencies_gets_only_what_the_grants_give(
    planted: tuple[Planted, Planted], viewer: Viewer, name: str, at: datetime | None, bbox: Any
) -> None:
    query = asked_for_all(planted, at=at, bbox=bbox)
    with connection.cursor() as cursor:
        unguarded = b"".join(row.geojson or b"" for row in catalog()[name].page(cursor, query)).decode()
    with seen_by(viewer) as cursor:
        guarded = b"".join(row.geojson or b"" for row in catalog()[name].page(cursor, query)).decode()
    own, foreign = planted
    assert own.word in guarded.lower()
    assert not [mark for mark in foreign.marks if mark in guarded]
    assert foreign.word in unguarded.lower(), "without the guard the same query shows it"


def test_a_grant_opens_its_layer_and_its_withdrawal_closes_it(planted: tuple[Planted, Planted], viewer: Viewer) -> None:
    own, foreign = planted
    query = asked_for_all(planted, at=None)

    def seen(name: str) -> int:
        with seen_by(viewer) as cursor:
            return len(catalog()[name].page(cursor, query))

    give_grant(role=Role.DISPATCHER, holder=own.agency, layer="calls", agency=foreign.agency)
    assert (seen("calls"), seen("units"), seen("fences")) == (2, 1, 1)
    withdraw_grant(grant=Grant.objects.get(layer="calls", holder=own.agency, agency=foreign.agency))
    assert seen("calls") == 1
    Member.objects.update(is_active=False)
    assert seen("calls") == 0


def test_a_viewer_without_member_sees_nothing(planted: tuple[Planted, Planted]) -> None:
    with seen_by(Viewer(0, 1, frozenset())) as cursor:
        assert [catalog()[name].page(cursor, asked_for_all(planted, at=None)) for name in catalog()] == [[], [], [], []]


@pytest.mark.parametrize(
    "table",
    ["accounts_member", "accounts_apikey", "accounts_membersession", "django_session", "ingest_post", "audit_entry", "accounts_grant"],
)
def test_what_is_no_place_is_not_read_at_all(planted: tuple[Planted, Planted], viewer: Viewer, table: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), seen_by(viewer) as cursor:
        cursor.execute(f"SELECT * FROM {table}")


@pytest.mark.parametrize("statement", ["UPDATE incidents_call SET rev = 0", "DELETE FROM tracks_fix", "SELECT settings FROM ingest_source",
                                       "SELECT area FROM accounts_agency"])
def test_the_reader_changes_nothing_and_reads_no_settings(planted: tuple[Planted, Planted], viewer: Viewer, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), seen_by(viewer) as cursor:
        cursor.execute(statement)


def test_all_that_the_reader_may_read_has_row_security(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname, relrowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = pg_class.oid) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
                AND has_any_column_privilege(%s, oid, 'SELECT')""",
            [READER],
        )
        tables = {name: (secured, policies) for name, secured, policies in cursor.fetchall() if name not in OF_EVERYBODY}
    assert {"tracks_fix", "tracks_position", "incidents_call", "incidents_callrevision", "geofences_fencerevision"} <= set(tables)
    assert {name for name, state in tables.items() if state != (True, 1)} == NAMES


def who() -> tuple[str, str, int]:
    with connection.cursor() as cursor:
        cursor.execute(WHO)
        name, member, pid = cursor.fetchone()
    return name, member or "", pid


@pytest.mark.django_db(transaction=True)
def test_nothing_of_the_viewer_stays_on_the_connection_for_the_next_request() -> None:
    owner, member, pid = who()
    for fails in (False, True):
        with pytest.raises(ZeroDivisionError) if fails else transaction.atomic(), seen_by(Viewer(7, 1, frozenset())) as cursor:
            cursor.execute(WHO)
            assert cursor.fetchone()[:2] == (READER, "7")
            assert not fails or 1 / 0
        assert who() == (owner, member, pid)
    assert (owner, member) == (connection.settings_dict["USER"], "")


def test_within_another_transaction_it_ends_with_its_block(db: None) -> None:
    before = who()
    with seen_by(Viewer(7, 1, frozenset())):
        pass
    assert who() == before


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT call_id FROM incidents_callstanding WHERE during @> '2026-03-01Z'::timestamptz", "call_standing_during"),
        ("SELECT id FROM boundaries_boundary WHERE geom && ST_MakeEnvelope(-89, 41, -88, 42, 4326)", "boundaries_boundary_geom"),
    ],
)
def test_row_security_leaves_the_indexes_usable(planted: tuple[Planted, Planted], viewer: Viewer, statement: str, index: str) -> None:
    with seen_by(viewer) as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert f"Index Scan on {index}" in plan or f"Index Scan using {index}" in plan, plan
    assert "Index Cond: (during" in plan or "Index Cond: (geom" in plan


def test_the_grants_are_asked_once_a_statement(planted: tuple[Planted, Planted], viewer: Viewer) -> None:
    with seen_by(viewer) as cursor:
        cursor.execute("EXPLAIN " + calls.PAGE.format(window="TRUE"), {"agencies": [1], "rev": 0, "id": 0, "limit": 10})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "InitPlan" in plan
    assert "Filter: accounts_agencies_seen" not in plan
