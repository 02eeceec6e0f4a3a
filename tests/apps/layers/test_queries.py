"""What a viewer may see, and how far back answers are final."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from apps.accounts import operations
from apps.accounts.instance import read_instance
from apps.accounts.models import InstanceKind, Role
from apps.accounts.viewer import viewer_of
from apps.layers.queries import NoSuchAgency, NoSuchLayer, Wanted, features, known_horizon, settled, visible_layers
from tests.world import NOON, make_agency, make_instance, make_member, make_source, say

pytestmark = pytest.mark.django_db


def horizon() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        return known_horizon(cursor, read_instance())


def connect(**options: str) -> "psycopg.Connection[tuple[object, ...]]":
    facts = connection.settings_dict
    return psycopg.connect(host=facts["HOST"], port=facts["PORT"], user=facts["USER"], dbname=facts["NAME"], **options)


def test_the_horizon_lies_a_second_back_when_nothing_is_open(instance: None) -> None:
    settled_until = horizon()
    lag = datetime.now(UTC) - settled_until
    assert timedelta(seconds=1) <= lag < timedelta(seconds=3)


def test_the_horizon_lies_before_an_open_batch_of_the_pipeline(instance: None) -> None:
    with connect(application_name="rtcc pipeline") as batch:
        began = batch.execute("SELECT now()").fetchone()
        assert began is not None
        batch.execute("SELECT pg_sleep(1.2)")
        assert horizon() < began[0]


def test_the_horizon_lies_before_any_transaction_that_wrote(instance: None) -> None:
    with connect() as writer:
        began = writer.execute("SELECT now(), pg_current_xact_id()").fetchone()
        assert began is not None
        writer.execute("SELECT pg_sleep(1.2)")
        assert horizon() < began[0]


def test_a_reader_does_not_hold_the_horizon_back(instance: None) -> None:
    with connect() as reader:
        began = reader.execute("SELECT now()").fetchone()
        assert began is not None
        reader.execute("SELECT pg_sleep(1.2)")
        assert horizon() > began[0]


def test_the_horizon_runs_on_the_instances_clock() -> None:
    row = make_instance(InstanceKind.DEMO)
    row.clock_t0, row.clock_real0, row.clock_speed = NOON, datetime.now(UTC), 60
    row.save()
    assert NOON - timedelta(minutes=3) < horizon() <= NOON


def test_a_known_after_the_horizon_is_answered_with_the_horizon(instance: None) -> None:
    answered = settled(datetime.now(UTC) + timedelta(hours=1))
    assert answered is not None
    assert answered < datetime.now(UTC)
    assert settled(NOON) == NOON
    assert settled(None) is None


def test_the_catalog_lists_what_the_viewer_may_see() -> None:
    own, other = make_agency("own"), make_agency("other")
    member = make_member(own)
    operations.give_grant(role=Role.DISPATCHER, holder=own, layer="calls", agency=other)
    seen = {one.layer.name: [agency.slug for agency in one.agencies] for one in visible_layers(viewer=viewer_of(member.pk))}
    assert seen == {"units": ["own"], "calls": ["own", "other"], "fences": ["own"], "boundaries": ["own"]}


def test_features_come_from_granted_agencies_only() -> None:
    own, other = make_agency("own"), make_agency("other")
    member = make_member(own)
    mine = say(make_source(own, "own-cad"), "A", at=NOON)
    theirs = say(make_source(other, "other-cad"), "B", at=NOON)
    viewer = viewer_of(member.pk)
    assert [row.id for row in features(viewer=viewer, layer="calls", wanted=Wanted()).features] == [mine.pk]
    with pytest.raises(NoSuchAgency):
        features(viewer=viewer, layer="calls", wanted=Wanted(agency="other"))
    with pytest.raises(NoSuchAgency):
        features(viewer=viewer, layer="calls", wanted=Wanted(agency="nowhere"))
    operations.give_grant(role=Role.DISPATCHER, holder=own, layer="calls", agency=other)
    both = features(viewer=viewer_of(member.pk), layer="calls", wanted=Wanted()).features
    assert {row.id for row in both} == {mine.pk, theirs.pk}


def test_a_layer_that_may_not_be_seen_is_as_one_that_is_not() -> None:
    viewer = viewer_of(make_member(make_agency(), Role.PARTNER).pk)
    for name in ("calls", "plates"):
        with pytest.raises(NoSuchLayer):
            features(viewer=viewer, layer=name, wanted=Wanted())
