"""Places, cells, counts and heads of calls: whatever is written, by whichever way, they are those of the rows."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import Agency
from apps.geo.cells import cell_of, parent
from apps.geo.clock import moment
from apps.geo.tile_address import FINEST, TileAddress, column_row, interleave, place_of
from apps.incidents import history
from apps.incidents.cells import catch_up, fill
from apps.incidents.history import CallRecord
from apps.incidents.merging import CallFacts
from apps.incidents.models import Call, CallCount
from apps.incidents.tiles import LEVELS, CallTiles, month_of, whole_months
from apps.ingest.models import Source
from apps.layers.definition import TileQuery
from apps.layers.models import LayerRevision, TileHead
from tests.world import NOON, make_agency, make_source, minutes, say

pytestmark = pytest.mark.django_db
LEVEL_RESOLUTION = {7: 5, 8: 6, 9: 7, 11: 8, 12: 9}
US = 1_000_000
START_US = int(datetime(2025, 11, 1, tzinfo=UTC).timestamp()) * US


@pytest.fixture
def agency() -> Agency:
    return make_agency()


@pytest.fixture
def cad(agency: Agency) -> Source:
    return make_source(agency)


@pytest.mark.parametrize(
    ("lon", "lat"), [(180, 0), (-180, 0), (0, 90), (0, -90), (-95.36, 29.76), (0, 0), (179.99999999999997, 85.06), (-90, 66.51326044311186)]
)
def test_the_database_gives_the_place_that_python_gives(lon: float, lat: float) -> None:
    assert sql_place(lon, lat) == place_of(lon, lat)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.floats(-180, 180), st.floats(-90, 90))
def test_any_place_is_the_same_to_a_few_centimeters(lon: float, lat: float) -> None:
    """Two mathematics libraries may differ in the last bit of a tangent."""
    x, y = column_row(lon, lat)
    place = sql_place(lon, lat)
    near = {interleave((x + dx) % 2**31, min(max(y + dy, 0), 2**31 - 1)) for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
    assert place in near


def sql_place(lon: float, lat: float) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT incidents_place(ST_SetSRID(ST_MakePoint(%s, %s), 4326))", [lon, lat])
        return int(cursor.fetchone()[0])


def counted() -> dict[tuple[int, int, int, int, Any], int]:
    return {(one.agency_id, one.zoom, one.tile, one.cell, one.month): one.count for one in CallCount.objects.all()}


def counted_plainly() -> dict[tuple[int, int, int, int, Any], int]:
    """Count the calls from their geometries alone."""
    counts: dict[tuple[int, int, int, int, Any], int] = {}
    for call in Call.objects.exclude(geom=None):
        place, cell = place_of(call.geom.x, call.geom.y), cell_of(call.geom.x, call.geom.y)
        for zoom, resolution in LEVEL_RESOLUTION.items():
            key = (call.agency_id, zoom, place >> 2 * (FINEST - zoom), parent(cell, resolution), month_of(call.opened_at).date())
            counts[key] = counts.get(key, 0) + 1
    return counts


def write(source: Source, id: int, rev: int, facts: CallFacts) -> None:
    """Write as the pipeline does."""
    record = CallRecord(id, source.agency_id, source.pk, f"H-{id}", source.origin, id % 64, facts)
    with connection.cursor():
        assert connection.connection is not None
        history.write_newest(connection.connection.cursor(), [(record, facts, rev)], recorded_us=START_US)


def random_facts(rng: random.Random, sequence: int) -> CallFacts:
    located = rng.random() < 0.85
    far = rng.choice([(180.0, 10.0), (-180.0, 10.0), (0.0, 89.9)])
    lon, lat = (rng.uniform(-96, -95), rng.uniform(29, 30)) if rng.random() < 0.9 else far
    opened = START_US + rng.randrange(120) * 86_400 * US
    state = rng.choice(["waiting", "active", "closed"])
    return CallFacts(sequence, opened, opened, state, opened, lon=lon if located else None, lat=lat if located else None)


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_the_rows_after_any_changes(cad: Source, seed: int) -> None:
    """Through the pipeline's own statement: opened, moved, unlocated, closed, opened at another time, erased."""
    other, rng = make_source(make_agency("other"), "other-cad"), random.Random(seed)
    LayerRevision.objects.create(layer="calls", agency=cad.agency, rev=1)
    for step in range(120):
        id = rng.randrange(1, 30)
        if rng.random() < 0.15:
            Call.objects.filter(pk=id).delete()
            continue
        write(cad if id % 2 else other, id, step + 2, random_facts(rng, step))
    assert counted() == counted_plainly()
    assert len(counted()) > 20
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE incidents_call, incidents_callrevision, incidents_callstanding")
    assert counted() == {}


def test_a_call_that_changes_where_it_is_leaves_no_count_behind(cad: Source) -> None:
    say(cad, "H-1", at=NOON, place=(-95.36, 29.76))
    say(cad, "H-1", at=NOON + minutes(1), place=(2.35, 48.85))
    assert counted() == counted_plainly()
    assert set(counted().values()) == {1}


def heads(zoom: int = 14) -> dict[int, tuple[int, int]]:
    return {head.tile: (head.rev, head.erased) for head in TileHead.objects.filter(zoom=zoom)}


def key(lon: float, lat: float, zoom: int = 14) -> int:
    return place_of(lon, lat) >> 2 * (FINEST - zoom)


def test_a_moved_call_changes_where_it_was_and_where_it_is(cad: Source) -> None:
    here, there = (-95.36, 29.76), (2.35, 48.85)
    first = say(cad, "H-1", at=NOON, place=here).rev
    assert heads() == {key(*here): (first, 0)}
    moved = say(cad, "H-1", at=NOON + minutes(1), place=there).rev
    assert heads() == {key(*here): (moved, 0), key(*there): (moved, 0)}
    closed = say(cad, "H-1", at=NOON + minutes(2), place=there, state="closed").rev
    assert heads() == {key(*here): (moved, 0), key(*there): (closed, 0)}
    assert heads(8) == {key(*here, 8): (moved, 0), key(*there, 8): (closed, 0)}


def test_what_is_erased_is_told_where_it_was(cad: Source) -> None:
    call = say(cad, "H-1", at=NOON)
    rev = call.rev
    call.revisions.all().delete()
    call.delete()
    assert list(heads().values()) == [(rev, 1)]


def test_an_unlocated_call_is_in_no_tile(cad: Source) -> None:
    say(cad, "H-1", at=NOON, place=None)
    assert (Call.objects.get().place, Call.objects.get().cell, counted(), heads()) == (None, None, {}, {})


def test_calls_of_code_that_knows_no_cells_are_counted_at_once_and_given_theirs_later(cad: Source) -> None:
    say(cad, "H-1", at=NOON, place=(-95.36, 29.76))
    say(cad, "H-2", at=NOON, place=None)
    Call.objects.update(cell=None)
    assert {cell for _, _, _, cell, _ in counted()} == {0}
    with connection.cursor() as cursor:
        last = fill(cursor)
        assert last == Call.objects.get(number="H-1").pk
        assert fill(cursor, after=last) is None
    assert Call.objects.get(number="H-1").cell == cell_of(-95.36, 29.76)
    assert counted() == counted_plainly()


def test_the_pipeline_catches_up_with_code_that_knows_no_cells(cad: Source) -> None:
    call = say(cad, "H-1", at=NOON, place=(-95.36, 29.76))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    Call.objects.update(cell=None)
    before = heads()
    assert connection.connection is not None
    for _ in range(2):
        catch_up(connection.connection)
    assert Call.objects.get().cell == cell_of(-95.36, 29.76)
    ((tile, (rev, erased)),) = before.items()
    assert heads() == {tile: (call.rev, erased + 1)}, "once: the tile is another, though no revision is"
    assert rev == call.rev


def test_a_cell_does_not_outlive_a_move_by_code_that_knows_no_cells(cad: Source) -> None:
    call = say(cad, "H-1", at=NOON, place=(-95.36, 29.76))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE incidents_call SET geom = ST_SetSRID(ST_MakePoint(2.35, 48.85), 4326)")
    call.refresh_from_db()
    assert (call.place, call.cell) == (place_of(2.35, 48.85), None)


def ask(cad: Source, address: TileAddress, resolution: int, since: datetime, until: datetime) -> dict[int, int]:
    with connection.cursor() as cursor:
        return CallTiles(TileQuery(address, [cad.agency_id], since=since, until=until)).cells(cursor, resolution)


days = st.integers(0, 150 * 24)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(window=st.tuples(days, days).filter(lambda both: both[0] != both[1]), zoom=st.integers(0, 14))
def test_whole_months_and_the_rest_add_up_to_the_window(cad: Source, window: tuple[int, int], zoom: int) -> None:
    if not Call.objects.exists():
        rng = random.Random(3)
        for id in range(1, 60):
            write(cad, id, id, random_facts(rng, id))
    begin = datetime(2025, 10, 20, tzinfo=UTC)
    since, until = (begin + timedelta(hours=hours) for hours in sorted(window))
    located = Call.objects.filter(opened_at__gte=since, opened_at__lt=until).exclude(geom=None)
    expected = {call.pk: TileAddress(zoom, *(at >> FINEST - zoom for at in column_row(call.geom.x, call.geom.y))) for call in located}
    for address in set(expected.values()):
        assert sum(ask(cad, address, 1, since, until).values()) == list(expected.values()).count(address)


def test_the_levels_are_those_of_the_counts(cad: Source) -> None:
    say(cad, "H-1", at=NOON)
    assert sorted(one.zoom for one in CallCount.objects.all()) == list(LEVELS)


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        ("2026-01-01T00:00", "2026-03-01T00:00", ("2026-01-01", "2026-03-01")),
        ("2025-12-31T23:59", "2026-02-28T23:59", ("2026-01-01", "2026-02-01")),
        ("2026-01-02T00:00", "2026-02-28T00:00", None),
        ("2026-01-02T00:00", "2026-01-03T00:00", None),
        ("9999-12-02T00:00", "9999-12-31T00:00", None),
    ],
)
def test_only_whole_months_are_read_from_the_counts(since: str, until: str, months: tuple[str, str] | None) -> None:
    found = whole_months(*(datetime.fromisoformat(f"{at}+00:00") for at in (since, until)))
    assert (found and tuple(f"{at:%Y-%m-%d}" for at in found)) == months


def test_moments_are_in_utc() -> None:
    assert month_of(moment(START_US)) == datetime(2025, 11, 1, tzinfo=UTC)
