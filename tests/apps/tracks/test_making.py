"""Devices that report for the first time get their rows, many at once."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection

from apps.ingest.models import Source
from apps.tracks.making import NewTrack, TracksUnknown, make_tracks
from apps.tracks.models import Track
from tests.world import make_agency, make_source, make_track

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def source() -> Source:
    return make_source(make_agency())


@pytest.fixture
def cursor(source: Source) -> Iterator["psycopg.Cursor[Any]"]:
    """A cursor in a transaction of its own, as in a batch."""
    with new_session() as own:
        yield own.cursor(binary=True)


def new_session() -> "psycopg.Connection[Any]":
    facts = connection.settings_dict
    return psycopg.connect(host=facts["HOST"], port=facts["PORT"], user=facts["USER"], dbname=facts["NAME"])


def new(source: Source, identity: str, name: str = "") -> NewTrack:
    return NewTrack(source.agency_id, source.pk, identity, name, "car", source.origin, 7)


def test_each_track_is_stored_as_it_said_under_the_id_that_is_returned(source: Source, cursor: "psycopg.Cursor[Any]") -> None:
    said = [new(source, "veh-2", "Car 2"), new(source, "véh\t1"), new(source, "x" * 120, "Straße")]
    ids = make_tracks(cursor, said)
    cursor.connection.commit()
    made = [Track.objects.get(pk=id) for id in ids]
    assert [(track.identity, track.name) for track in made] == [(track.identity, track.name) for track in said]
    assert {(track.agency_id, track.source_id, track.origin, track.kind, track.shard, track.rev) for track in made} == {
        (source.agency_id, source.pk, source.origin, "car", 7, 0)
    }


def test_none_is_made_when_one_of_them_is_there_already(source: Source, cursor: "psycopg.Cursor[Any]") -> None:
    make_track(source, "veh-1")
    with pytest.raises(TracksUnknown):
        make_tracks(cursor, [new(source, "veh-0"), new(source, "veh-1")])


@pytest.mark.parametrize("field", ["source_id", "agency_id"])
def test_none_is_made_when_source_or_agency_of_one_is_not_there(source: Source, cursor: "psycopg.Cursor[Any]", field: str) -> None:
    astray = new(source, "veh-1")._replace(**{field: source.pk + 1_000})
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match=f"of an? {field.removesuffix('_id')} that does not exist"):
        make_tracks(cursor, [new(source, "veh-0"), astray])


@pytest.mark.parametrize("field", ["source_id", "agency_id"])
def test_a_track_does_not_move_to_what_is_not_there(source: Source, field: str) -> None:
    track = make_track(source, "veh-1")
    with pytest.raises(IntegrityError, match="does not exist"):
        Track.objects.filter(pk=track.pk).update(**{field: source.pk + 1_000})


@pytest.mark.parametrize("table", ["ingest_source", "accounts_agency"])
def test_what_has_tracks_stays(source: Source, table: str) -> None:
    make_track(source, "veh-1")
    with pytest.raises(IntegrityError), connection.cursor() as plain:
        plain.execute(f"DELETE FROM {table}")


def test_a_source_that_is_being_deleted_waits_for_its_first_tracks(source: Source, cursor: "psycopg.Cursor[Any]") -> None:
    """Neither sees the other before it commits: without the lock the track would be left without its source."""
    make_tracks(cursor, [new(source, "veh-1")])
    ended: list[Exception | None] = []

    def delete() -> None:
        try:
            with new_session() as other:
                other.execute("DELETE FROM ingest_source WHERE id = %s", [source.pk])
            ended.append(None)
        except psycopg.Error as error:
            ended.append(error)

    deleting = threading.Thread(target=delete)
    deleting.start()
    deleting.join(0.3)
    assert not ended, "the deletion did not wait"
    cursor.connection.commit()
    deleting.join(10)
    assert isinstance(ended[0], psycopg.errors.ForeignKeyViolation)
