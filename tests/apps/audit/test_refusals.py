"""Who is signed in and refused leaves a trace, and whoever tries a thousand addresses leaves few."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import Member
from apps.audit.acting import Acting, acting_as
from apps.audit.models import Entry, Refusal
from apps.audit.refusals import MOST_TARGETS, OTHERS, SETTLE, refused
from tests.world import make_agency, make_instance, make_member, signed_in

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def member() -> Member:
    make_instance()
    return make_member(make_agency())


def test_a_refusal_names_who_asked_for_what_from_where(member: Member) -> None:
    assert signed_in(member).get("/api/layers/plates/features", REMOTE_ADDR="192.0.2.7").status_code == 404
    entry = Entry.objects.get(act="refused")
    assert (entry.member_id, entry.member_name, entry.address, entry.road) == (member.pk, "dana", "192.0.2.7", "api")
    assert (entry.target, entry.detail, entry.count) == ("GET /api/layers/plates/features", {"status": 404}, 1)


def test_an_address_that_no_table_takes_is_told_as_it_can_be(member: Member) -> None:
    assert signed_in(member).get("/api/layers/%00%0Ax/features").status_code == 404
    assert Entry.objects.get(act="refused").target == "GET /api/layers/??x/features"


def test_what_is_answered_and_who_is_a_stranger_leave_none(member: Member) -> None:
    assert signed_in(member).get("/api/layers/").status_code == 200
    assert signed_in(member).get("/nowhere").status_code == 404
    assert Client().get("/api/layers/").status_code == 401
    assert not Entry.objects.filter(act="refused").exists()


def test_the_same_again_is_counted_and_told_when_the_minute_has_ended(member: Member) -> None:
    with acting_as(lambda: Acting(member.pk, "dana", "192.0.2.7", "api")):
        for _ in range(41):
            refused("GET /api/x", 404, at=NOON)
    assert Entry.objects.filter(act="refused").count() == 1
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, [NOON + timedelta(seconds=20)])
        assert Entry.objects.filter(act="refused").count() == 1
        cursor.execute(SETTLE, [NOON + timedelta(minutes=2)])
    first, rest = Entry.objects.filter(act="refused").order_by("id")
    assert (first.count, rest.count, rest.target, rest.member_name, rest.address) == (1, 40, "GET /api/x", "dana", "192.0.2.7")
    assert not Refusal.objects.exists()


def test_a_scanner_leaves_as_many_rows_as_there_is_room_for(member: Member) -> None:
    with acting_as(lambda: Acting(member.pk, "dana", None, "api")):
        for n in range(300):
            refused(f"GET /api/{n}", 404, at=NOON)
    assert Entry.objects.filter(act="refused").count() == MOST_TARGETS + 1
    assert Refusal.objects.get(target=OTHERS).count == 300 - MOST_TARGETS


def test_a_refusal_that_cannot_be_written_is_still_one(member: Member) -> None:
    asking = signed_in(member)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_refusal RENAME TO away")
    assert asking.get("/api/layers/plates/features").status_code == 404
    assert not Entry.objects.filter(act="refused").exists()
