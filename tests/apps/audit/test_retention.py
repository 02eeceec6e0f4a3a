"""A purge takes whole beginnings, says so, and what stays still verifies."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

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


def age(chain: Connection, *days: int) -> None:
    """Let entries be as many days old, in their order; the owner may. Sealed after."""
    ids = add(chain, len(days))
    with as_owner(chain):
        for id, old in zip(ids, days, strict=True):
            chain.execute("UPDATE audit_entry SET written_at = %s WHERE id = %s", [NOW - timedelta(days=old), id])
    with chain.cursor() as cursor:
        link = last_link(cursor)
    seal(chain, link)


def purge(days: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        return purge_before(cursor, NOW - timedelta(days=days), at=NOW)


def test_only_a_whole_beginning_goes_and_the_rest_verifies(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 40, 35, 10, 33, 5)
    assert purge(30) == 2
    with chain.cursor() as cursor:
        seal(chain, last_link(cursor))
    report = verify(chain)
    assert report.problems == []
    assert (report.first, report.checked) == (3, 4)
    assert (Entry.objects.latest("id").act, Entry.objects.latest("id").count) == ("audit_purged", 2)
    assert purge(30) == 0
    assert purge(3) == 3
    assert verify(chain).problems == []


def test_heads_of_what_was_purged_are_no_fault(chain: Connection, state: Path) -> None:
    age(chain, 40, 35, 10)
    with chain.cursor() as cursor:
        heads.write(head_now(last_link(cursor), 3, NOW), heads.own_key())
    assert purge(30) == 2
    assert verify(chain).problems == []


def test_all_may_go(chain: Connection, state: Path) -> None:
    heads.own_key()
    age(chain, 40, 35)
    assert purge(30) == 2
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
    age(chain, 40)
    chain.execute("INSERT INTO audit_chainstate (id, checked, problems) VALUES (1, 0, '[\"link 1 is missing\"]')")
    with pytest.raises(NotWhole):
        purge(30)
    assert verify(chain).checked == 1


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


def test_retention_says_why_it_takes_nothing(chain: Connection, state: Path) -> None:
    age(chain, 1200, 1100, 10)
    done = turn()
    assert "audit" not in done.removed
    assert not done.finished
    assert "key" in done.failed["audit"]
