"""A purge takes whole beginnings, says so, and what stays still verifies."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from apps.audit import heads
from apps.audit.chain import Connection, last_link
from apps.audit.heads import head_now
from apps.audit.models import Entry
from apps.audit.retention import NotWhole, purge_before
from apps.audit.sealing import seal
from apps.audit.verifying import verify
from apps.retention.turn import Done, take_turn
from tests.apps.audit.conftest import add, as_owner, sealed
from tests.world import make_instance

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def age(chain: Connection, *days: float) -> None:
    """Let entries be as many days old, in their order; the owner may. Sealed after."""
    ids = add(chain, len(days))
    with as_owner(chain):
        for id, old in zip(ids, days, strict=True):
            chain.execute("UPDATE audit_entry SET written_at = %s WHERE id = %s", [NOW - timedelta(days=old), id])
    with chain.cursor() as cursor:
        link = last_link(cursor)
    seal(chain, link)


def purge(days: int, at: datetime = NOW) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        return purge_before(cursor, at - timedelta(days=days), at=at)


def write_head(chain: Connection, *, days_ago: int) -> None:
    with chain.cursor() as cursor:
        link = last_link(cursor)
    assert heads.write(head_now(link, 0, NOW - timedelta(days=days_ago)), heads.own_key()) == []


def test_only_a_whole_beginning_goes_and_the_rest_verifies(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 440, 435, 400, 433, 370)
    assert purge(430) == 2
    with chain.cursor() as cursor:
        seal(chain, last_link(cursor))
    report = verify(chain)
    assert report.problems == []
    assert (report.first, report.checked) == (3, 4)
    assert (Entry.objects.latest("id").act, Entry.objects.latest("id").count) == ("audit_purged", 2)
    assert purge(430) == 0
    assert purge(366) == 3
    assert verify(chain).problems == []


def test_heads_of_what_was_purged_are_no_fault(chain: Connection, state: Path) -> None:
    age(chain, 440, 435, 410)
    with chain.cursor() as cursor:
        heads.write(head_now(last_link(cursor), 3, NOW), heads.own_key())
    assert purge(430) == 2
    assert verify(chain).problems == []


def test_all_may_go(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 440, 435)
    assert purge(430) == 2
    with chain.cursor() as cursor:
        assert last_link(cursor).sequence == 2
        seal(chain, last_link(cursor))
    report = verify(chain)
    assert (report.problems, report.first, report.checked) == ([], 3, 1)


def test_a_beginning_that_nobody_signed_is_no_purge(chain: Connection, state: Path) -> None:
    heads.own_key()
    sealed(chain, 5)
    with as_owner(chain):
        chain.execute("DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_seal WHERE sequence <= 2)")
        chain.execute("INSERT INTO audit_anchor SELECT sequence, digest, 2, now(), 'x' FROM audit_seal WHERE sequence = 2")
        chain.execute("DELETE FROM audit_seal WHERE sequence <= 2")
    assert verify(chain).problems == ["the place where the chain begins since a purge (link 2) is not signed by this instance"]


def test_nothing_is_purged_while_the_chain_is_not_whole(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 440)
    chain.execute("INSERT INTO audit_chainstate (id, checked, problems) VALUES (1, 0, '[\"link 1 is missing\"]')")
    with pytest.raises(NotWhole):
        purge(430)
    assert verify(chain).checked == 1


def test_what_is_on_record_is_no_hindrance_where_nothing_is_old(chain: Connection, state: Path) -> None:
    age(chain, 10)
    chain.execute("INSERT INTO audit_chainstate (id, checked, problems) VALUES (1, 0, '[\"link 1 is missing\"]')")
    assert purge(430) == 0


def test_nothing_younger_than_a_year_goes_whatever_is_asked(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 400, 300, 1)
    assert purge(0) == 1
    assert verify(chain).problems == []


def test_a_day_goes_at_once_and_not_bit_by_bit(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 400, 365.3, 365.2, 365.1, 1)
    assert [purge(365), purge(365, NOW + timedelta(hours=3)), purge(365, NOW + timedelta(hours=11))] == [1, 0, 0]
    assert purge(365, NOW + timedelta(hours=13)) == 3
    assert verify(chain).problems == []


def test_what_the_owner_made_old_is_not_purged_but_named(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 440, 20, 20, 10)
    with as_owner(chain):
        chain.execute("UPDATE audit_entry SET written_at = '2000-01-01' WHERE id IN (SELECT entry_id FROM audit_seal WHERE sequence = 2)")
    with pytest.raises(NotWhole, match=r"entry \d+ \(link 2\) is not what was sealed"):
        purge(430)
    assert verify(chain).checked == 4


def test_what_a_head_of_this_year_was_the_first_to_cover_stays(chain: Connection, state: Path) -> None:
    """The owner may write old times and seal all anew: what was signed when cannot be made older."""
    age(chain, 500)
    write_head(chain, days_ago=450)
    age(chain, 480)
    write_head(chain, days_ago=300)
    age(chain, 470, 10)
    write_head(chain, days_ago=200)
    assert purge(430) == 1
    assert verify(chain).problems == []


def test_a_purge_of_what_was_sealed_within_the_year_is_found(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 500, 490)
    assert purge(430) == 2
    write_head(chain, days_ago=20)
    assert verify(chain).problems == [
        "the purge of 2026-03-01T12:00:00Z (up to link 2) took what was not a year old: it was signed at 2026-02-09T12:00:00Z"
    ]


def test_a_second_folder_makes_nothing_younger(chain: Connection, state: Path, settings: Settings) -> None:
    age(chain, 500, 490)
    write_head(chain, days_ago=480)
    settings.AUDIT_HEADS = str(state / "elsewhere")
    write_head(chain, days_ago=20)
    assert purge(430) == 2
    assert verify(chain).problems == []


def test_a_beginning_that_nobody_signed_is_not_signed_over(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 440, 439, 438, 437)
    with as_owner(chain):
        chain.execute("DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_seal WHERE sequence <= 2)")
        chain.execute("INSERT INTO audit_anchor SELECT sequence, digest, 2, now(), 'x' FROM audit_seal WHERE sequence = 2")
        chain.execute("DELETE FROM audit_seal WHERE sequence <= 2")
    with pytest.raises(NotWhole, match="is not signed by this instance"):
        purge(430)


def test_what_was_settled_is_purged_with_the_rest(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 440, 439, 438, 437, 10)
    with as_owner(chain):
        chain.execute("DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_seal WHERE sequence = 3)")
        chain.execute("DELETE FROM audit_seal WHERE sequence = 3")
    with pytest.raises(NotWhole, match="link 3 is missing"):
        purge(430)
    call_command("audit_settled", reason="looked into", stdout=io.StringIO())
    assert purge(430) == 3
    assert verify(chain).problems == []


def turn() -> Done:
    make_instance()
    done = take_turn(at=NOW, real=NOW, process="test")
    assert done is not None
    return done


def test_the_rule_of_retention_takes_the_beginning(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 1200, 1100, 10)
    assert turn().removed["audit"] == 2
    assert verify(chain).problems == []


def test_a_rule_written_into_the_database_takes_no_more_than_a_rule_may(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 500, 300, 10)
    make_instance()
    chain.execute("""
        INSERT INTO retention_rule (data_class, keep, legal_source, valid_from, made_by_name, made_at)
        VALUES ('audit', '0', 'x', '1970-01-01', '', now())
    """)
    done = take_turn(at=NOW, real=NOW, process="test")
    chain.execute("SET session_replication_role = replica")
    chain.execute("DELETE FROM retention_rule WHERE legal_source = 'x'")
    chain.execute("RESET session_replication_role")
    assert done is not None
    assert done.removed["audit"] == 1
    assert verify(chain).problems == []


def test_retention_says_why_it_takes_nothing(chain: Connection, state: Path) -> None:
    age(chain, 1200, 1100, 10)
    done = turn()
    assert "audit" not in done.removed
    assert not done.finished
    assert "key" in done.failed["audit"]
