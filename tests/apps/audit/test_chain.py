"""Every entry gets its seal, and whatever is done to sealed ones is found and named."""

import threading
import time
from datetime import UTC, datetime

import psycopg
import pytest

from apps.audit import heads
from apps.audit.chain import GENESIS, Connection, Link
from apps.audit.connecting import own_connection
from apps.audit.heads import head_now
from apps.audit.sealing import seal
from apps.audit.signing import KeyMissing
from apps.audit.verifying import verify
from tests.apps.audit.conftest import add, as_owner, rewrite, sealed


def write_head(link: Link) -> None:
    assert heads.write(head_now(link, link.sequence, datetime(2026, 3, 1, 12, tzinfo=UTC)), heads.own_key()) == []


def test_what_nobody_touched_is_whole(chain: Connection) -> None:
    write_head(sealed(chain, 10))
    report = verify(chain)
    assert report.problems == []
    assert (report.checked, report.heads, report.unsealed) == (10, 1, 0)


def test_what_waits_for_its_seal_is_told_and_is_no_fault(chain: Connection) -> None:
    add(chain, 3)
    report = verify(chain)
    assert (report.problems, report.checked, report.unsealed) == ([], 0, 3)
    assert report.unsealed_since is not None


FORGERIES: dict[str, tuple[str, str]] = {
    "a change": ("UPDATE audit_entry SET reason = 'x' WHERE id = {fifth}", "entry {fifth} (link 5) is not what was sealed"),
    "a change of detail": ("UPDATE audit_entry SET detail = '{{}}' WHERE id = {fifth}", "entry {fifth} (link 5) is not what was sealed"),
    "a changed seal": ("UPDATE audit_seal SET digest = sha256('x') WHERE sequence = 5", "entry {fifth} (link 5) is not what was sealed"),
    "a deletion": ("DELETE FROM audit_entry WHERE id = {fifth}", "entry {fifth} was deleted; its seal, link 5, is still there"),
    "a deletion with its seal": (
        "DELETE FROM audit_entry WHERE id = {fifth}; DELETE FROM audit_seal WHERE sequence = 5",
        "link 5 is missing: its entry and seal were deleted",
    ),
    "a lost seal": ("DELETE FROM audit_seal WHERE sequence = 5", "entry {fifth} has no seal and does not wait for one"),
    "another order": (
        "UPDATE audit_seal SET entry_id = -1 WHERE sequence = 5; UPDATE audit_seal SET entry_id = {fifth} WHERE sequence = 6; "
        "UPDATE audit_seal SET entry_id = {fifth} + 1 WHERE sequence = 5",
        "(link 5) is not what was sealed",
    ),
    "a cut end": (
        "DELETE FROM audit_entry WHERE id > {fifth}; DELETE FROM audit_seal WHERE sequence > 5",
        "the end was deleted: links 6 to 10 are missing",
    ),
    "all of it": ("DELETE FROM audit_entry; DELETE FROM audit_seal", "the end was deleted: links 1 to 10 are missing"),
    "one put in": (
        "INSERT INTO audit_entry (act, member_name, road, target, reason, detail) VALUES ('x', '', 'page', '', '', '{{}}')",
        "has no seal and does not wait for one: it was put in",
    ),
    "one put in before all": (
        "INSERT INTO audit_entry (id, act, member_name, road, target, reason, detail) "
        "VALUES (-9223372036854775808, 'x', '', '', '', '', '{{}}')",
        "entry -9223372036854775808 has no seal and does not wait for one: it was put in",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_the_owner_does_is_found_and_named(chain: Connection, name: str) -> None:
    statements, expected = FORGERIES[name]
    write_head(sealed(chain, 10))
    fifth = (chain.execute("SELECT entry_id FROM audit_seal WHERE sequence = 5").fetchone() or [0])[0]
    with as_owner(chain):
        for statement in statements.format(fifth=fifth).split("; "):
            chain.execute(statement)  # type: ignore[call-overload]
    problems = verify(chain).problems
    assert any(expected.format(fifth=fifth) in problem for problem in problems), problems


def test_a_chain_that_was_rewritten_whole_is_found_by_the_written_heads(chain: Connection) -> None:
    link = sealed(chain, 10)
    with as_owner(chain):
        rewrite(chain)
    assert verify(chain).is_whole  # in itself it is: only what was written elsewhere tells
    write_head(link)
    assert [text for text in verify(chain).problems if "the chain was rewritten: link 10 is not the head" in text]


def test_a_head_that_another_key_signed_is_no_head(chain: Connection) -> None:
    link = sealed(chain, 3)
    write_head(link)
    file = next((heads.folders()[0]).glob("*.jsonl"))
    file.write_bytes(file.read_bytes().replace(b'"sequence":3', b'"sequence":2'))
    assert [text for text in verify(chain).problems if "is not signed with this instance's key" in text]


def test_heads_without_their_key_are_refused(chain: Connection) -> None:
    write_head(sealed(chain, 3))
    (heads.folders()[0].parent / "audit-key.pem").unlink()
    with pytest.raises(KeyMissing, match="is not there; put it back"):
        heads.own_key()


def test_the_key_is_the_servers_alone(chain: Connection) -> None:
    heads.own_key()
    assert (heads.folders()[0].parent / "audit-key.pem").stat().st_mode & 0o777 == 0o600


def test_what_commits_late_with_a_lower_id_is_sealed(chain: Connection) -> None:
    with own_connection() as slow:
        with slow.transaction():
            [low] = add(slow)
            [high] = add(chain)
            known, count = seal(chain, GENESIS)
            assert (count, high > low) == (1, True)
        known, count = seal(chain, known)
    assert (known.sequence, count) == (2, 1)
    assert chain.execute("SELECT entry_id FROM audit_seal ORDER BY sequence").fetchall() == [(high,), (low,)]
    assert verify(chain).is_whole


def test_no_entry_is_missed_whoever_writes(chain: Connection) -> None:
    """Four writers, some of whom roll back, and the sealer at the same time: all that committed is sealed, once."""
    kept: list[int] = []
    done = threading.Event()

    def write() -> None:
        with own_connection() as own:
            for n in range(60):
                with own.transaction(force_rollback=n % 5 == 0):
                    ids = add(own, 3)
                kept.extend(ids if n % 5 else [])

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    threading.Thread(target=lambda: ([writer.join() for writer in writers], done.set())).start()
    known = GENESIS
    while not done.is_set():
        known, _ = seal(chain, known)
    known, _ = seal(chain, known)
    assert len(kept) == 4 * 48 * 3
    assert sorted(kept) == [row[0] for row in chain.execute("SELECT entry_id FROM audit_seal ORDER BY entry_id")]
    assert verify(chain).is_whole


def test_of_two_sealers_at_once_one_fails_and_the_chain_is_whole(chain: Connection) -> None:
    add(chain, 5)
    failed: list[BaseException] = []

    def seal_too() -> None:
        try:
            with own_connection() as other:
                seal(other, GENESIS)
        except psycopg.errors.UniqueViolation as error:
            failed.append(error)

    second = threading.Thread(target=seal_too)
    with chain.transaction():
        seal(chain, GENESIS)
        second.start()
        time.sleep(0.3)  # the other waits at the primary key for this one's end
    second.join()
    assert len(failed) == 1
    assert verify(chain).checked == 5
    assert verify(chain).is_whole


@pytest.mark.parametrize("table", ["audit_entry", "audit_seal"])
@pytest.mark.parametrize("words", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET {column} = {column}"])
def test_the_database_refuses_to_change_what_was_written(chain: Connection, table: str, words: str) -> None:
    sealed(chain, 2)
    column = "act" if table == "audit_entry" else "digest"
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is only added to"):
        chain.execute(words.format(table, column=column))  # type: ignore[call-overload]
    assert verify(chain).checked == 2


def test_a_purge_that_names_itself_may_delete_and_nothing_else(chain: Connection) -> None:
    sealed(chain, 2)
    chain.execute("SET rtcc.audit_purge = 'retention'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        chain.execute("UPDATE audit_entry SET act = 'x'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        chain.execute("TRUNCATE audit_entry")
    chain.execute("RESET rtcc.audit_purge")
