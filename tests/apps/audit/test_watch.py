"""The process that seals: what is done to the audit is found within a minute, and killing it loses nothing."""

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings

from apps.audit.chain import Connection
from apps.audit.connecting import own_connection
from apps.audit.duties import Keeper
from apps.audit.memory import Memory
from apps.audit.verifying import verify
from tests.apps.audit.conftest import add, as_owner, rewrite
from tests.running import RunningSystem, wait_until

FOUND_WITHIN_S = 60
CHANGE_THIRD = "UPDATE audit_entry SET member_name = 'x' WHERE id = (SELECT entry_id FROM audit_seal WHERE sequence = 3)"
DELETE_LINK = """
    WITH gone AS (DELETE FROM audit_seal WHERE sequence = %s RETURNING entry_id) DELETE FROM audit_entry USING gone WHERE id = entry_id
"""


@pytest.fixture
def system(chain: Connection, audit_database: str, settings: Settings) -> Iterator[RunningSystem]:
    """Processes on the audit's database; this process shares their state folder."""
    with RunningSystem(database=audit_database, redis_url="unix:///nowhere") as one:
        settings.STATE_FOLDER = one.state
        yield one


@pytest.fixture
def places(state: Path, settings: Settings) -> Path:
    """The folder that holds both places of written heads: "audit-heads" and "elsewhere"."""
    settings.AUDIT_HEADS = str(state / "elsewhere")
    return state


def said(*words: str) -> str:
    """Run a command of manage.py in this process; return what it printed."""
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def count(chain: Connection, table: str) -> int:
    row = chain.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[call-overload]
    return int(row[0]) if row else 0


def problems(chain: Connection) -> list[str]:
    """Return what was found so far, as the audit itself keeps it."""
    return [row[0] for row in chain.execute("SELECT reason FROM audit_entry WHERE act = 'chain_broken' ORDER BY id")]


def written_heads(system: RunningSystem) -> list[dict[str, object]]:
    return [json.loads(line) for file in sorted((system.state / "audit-heads").glob("*.jsonl")) for line in file.read_text().splitlines()]


def is_sealed(chain: Connection) -> bool:
    return count(chain, "audit_unsealed") == 0


def test_what_the_owner_does_beside_it_is_found_within_a_minute(chain: Connection, system: RunningSystem) -> None:
    add(chain, 20)
    system.start("watch")
    wait_until(lambda: count(chain, "audit_seal") == 20 and written_heads(system), within_s=30, what="sealed, and a head written")
    assert written_heads(system)[-1]["sequence"] == 20
    add(chain, 2)
    wait_until(lambda: count(chain, "audit_seal") == 22, within_s=10, what="sealed, and no head written of it")
    deeds: dict[str, Callable[[], object]] = {
        "link 22, the chain's end a moment ago, is gone": lambda: end_connection_and_cut(chain, 21, 22),
        "(link 3) is not what was sealed": lambda: chain.execute(CHANGE_THIRD),
        "link 9 is missing": lambda: chain.execute(DELETE_LINK, [9]),
        "(link 12) is not what was sealed": lambda: swap(chain, 12, 13),
        "the chain's end a moment ago, is gone": lambda: cut_end(chain),
        "the chain was rewritten: link 20 is not the head": lambda: rewrite(chain),
    }
    for sentence, deed in deeds.items():
        before, begun = problems(chain), time.monotonic()
        with as_owner(chain):
            deed()
        wait_until(lambda sentence=sentence, before=before: tells(chain, sentence, before), within_s=FOUND_WITHIN_S, what=sentence)
        print(f"{sentence}: found after {time.monotonic() - begun:.1f} s")
    assert "link 9 is missing" in str(chain.execute("SELECT problems FROM audit_chainstate").fetchone())
    assert "ERROR" in system.log("watch")


def tells(chain: Connection, sentence: str, before: list[str]) -> bool:
    return any(sentence in one for one in problems(chain) if one not in before)


def end_connection_and_cut(chain: Connection, *links: int) -> None:
    """End the watcher's connection and delete the newest entries and seals before it is back."""
    chain.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rtcc watch'")
    for link in links:
        chain.execute(DELETE_LINK, [link])


def swap(chain: Connection, one: int, other: int) -> None:
    """Let two entries change places."""
    first, second = (chain.execute("SELECT entry_id FROM audit_seal WHERE sequence = %s", [link]).fetchone() or () for link in (one, other))
    for entry, link in ((-1, one), (*first, other), (*second, one)):
        chain.execute("UPDATE audit_seal SET entry_id = %s WHERE sequence = %s", [entry, link])


def cut_end(chain: Connection) -> None:
    """Delete the newest entry and its seal when all is sealed, before a head tells of them."""
    wait_until(lambda: is_sealed(chain), within_s=10, what="all sealed")
    newest = chain.execute("SELECT max(sequence) FROM audit_seal").fetchone() or ()
    chain.execute(DELETE_LINK, newest)


def test_killed_in_the_middle_it_leaves_a_whole_chain_and_another_takes_over(chain: Connection, system: RunningSystem) -> None:
    done = threading.Event()
    written: list[int] = []

    def write() -> None:
        with own_connection() as own:
            while not done.is_set():
                written.extend(add(own, 5))
                time.sleep(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        system.start("watch", "watch:2")
        wait_until(lambda: count(chain, "audit_seal") > 100, within_s=30, what="it seals")
        active = next(name for name in ("watch", "watch:2") if "active" in system.log(name))
        system.kill(active)
        at_death = count(chain, "audit_seal")
        wait_until(lambda: count(chain, "audit_seal") > at_death + 100, within_s=30, what="the other seals")
    finally:
        done.set()
        writer.join()
    wait_until(lambda: is_sealed(chain), within_s=30, what="all sealed")
    assert sorted(written) == [row[0] for row in chain.execute("SELECT entry_id FROM audit_seal ORDER BY entry_id")]
    assert verify(chain).problems == []
    assert [name for name in ("watch", "watch:2") if "active" in system.log(name)] != [active]


def test_the_head_is_written_off_the_database_in_both_places(chain: Connection, places: Path) -> None:
    add(chain, 3)
    keeper = Keeper(chain)
    keeper.seal()
    keeper.write_head()
    ours, theirs = (json.loads(next((places / name).glob("*.jsonl")).read_text()) for name in ("audit-heads", "elsewhere"))
    assert (ours, ours["sequence"], ours["count"]) == (theirs, 3, 3)
    assert "the audit is whole" in said("verify_audit")
    assert "the audit is whole" in said("verify_audit", "--heads", str(places / "elsewhere"), "--public-key", said("audit_key").strip())
    with as_owner(chain):
        chain.execute(CHANGE_THIRD)
    with pytest.raises(CommandError, match="the audit is NOT whole: 1 problems"):
        said("verify_audit")


def test_a_second_place_that_cannot_be_written_is_told_and_the_first_goes_on(chain: Connection, places: Path) -> None:
    (places / "elsewhere").write_text("no folder")
    add(chain, 3)
    keeper = Keeper(chain)
    keeper.seal()
    keeper.write_head()
    assert len(list((places / "audit-heads").glob("*.jsonl"))) == 1
    assert problems(chain) == [f"the chain's head could not be written to {places / 'elsewhere'}: File exists"]


def test_a_database_put_back_on_purpose_is_accepted_once_that_is_signed(chain: Connection, places: Path) -> None:
    add(chain, 5)
    keeper = Keeper(chain)
    keeper.seal()
    keeper.write_head()
    with as_owner(chain):
        chain.execute("DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_seal WHERE sequence > 3)")
        chain.execute("DELETE FROM audit_seal WHERE sequence > 3")
    assert verify(chain).problems == ["the end was deleted: links 4 to 5 are missing: their entries and seals were deleted"]
    said("audit_restored", "--reason", "restored to noon after a disk died")
    again = Keeper(chain)
    again.seal()
    again.write_head()
    assert count(chain, "audit_seal") == 4
    assert verify(chain).problems == []


def test_what_was_looked_into_is_settled_and_what_comes_after_is_not(chain: Connection, places: Path) -> None:
    add(chain, 8)
    keeper = Keeper(chain)
    keeper.seal()
    keeper.write_head()
    with as_owner(chain):
        chain.execute(CHANGE_THIRD)
        chain.execute(DELETE_LINK, [5])
        add(chain, 1)  # without its trigger: put in
    assert len(verify(chain).problems) == 3
    assert "settled, with exactly what was found: 3 problems" in said("audit_settled", "--reason", "a wrong restore, put right")
    keeper.seal()
    report = verify(chain)
    assert report.problems == []
    assert [sentence.split(" ")[0] for sentence in report.settled] == ["entry", "link"]
    assert "settled: link 5 is missing" in said("verify_audit")
    with as_owner(chain):
        chain.execute(DELETE_LINK, [9])
    assert verify(chain).problems == ["link 9 is missing: its entry and seal were deleted"]


CHANGE_AGAIN: dict[str, tuple[str, str]] = {
    "another before it": ("UPDATE audit_entry SET member_name = 'y' WHERE id = {second}", "entry {second} (link 2) is not what was sealed"),
    "the same again": ("UPDATE audit_entry SET member_name = 'y' WHERE id = {third}", "entry {third} (link 3) is not what was sealed"),
    "one that follows the gap": ("UPDATE audit_entry SET member_name = 'y' WHERE id = {sixth}", "link 5 is missing"),
    "more of the gap": (
        "DELETE FROM audit_entry WHERE id = {fourth}; DELETE FROM audit_seal WHERE sequence = 4",
        "links 4 to 5 are missing",
    ),
    "deleted instead": ("DELETE FROM audit_entry WHERE id = {third}", "entry {third} was deleted; its seal, link 3, is still there"),
}


@pytest.mark.parametrize("name", CHANGE_AGAIN)
def test_settling_covers_what_was_found_and_nothing_else(chain: Connection, places: Path, name: str) -> None:
    add(chain, 8)
    keeper = Keeper(chain)
    keeper.seal()
    keeper.write_head()
    ids = dict(chain.execute("SELECT sequence, entry_id FROM audit_seal").fetchall())
    with as_owner(chain):
        chain.execute(CHANGE_THIRD)
        chain.execute(DELETE_LINK, [5])
    said("audit_settled", "--reason", "a wrong restore, put right")
    assert verify(chain).problems == []
    statements, expected = CHANGE_AGAIN[name]
    numbers = {"second": ids[2], "third": ids[3], "fourth": ids[4], "sixth": ids[6]}
    with as_owner(chain):
        for statement in statements.format(**numbers).split("; "):
            chain.execute(statement)  # type: ignore[call-overload]
    [problem] = verify(chain).problems
    assert expected.format(**numbers) in problem


def test_a_chain_rewritten_after_it_was_settled_is_found(chain: Connection, places: Path) -> None:
    add(chain, 2)
    keeper = Keeper(chain)
    keeper.seal()
    keeper.write_head()
    add(chain, 6)
    keeper.seal()
    with as_owner(chain):
        chain.execute("UPDATE audit_entry SET member_name = 'x' WHERE id = (SELECT entry_id FROM audit_seal WHERE sequence = 7)")
    said("audit_settled", "--reason", "looked into")
    with as_owner(chain):
        chain.execute("UPDATE audit_seal SET digest = sha256('x') WHERE sequence = 2")
    assert any("the chain was rewritten: link 2 is not the head" in one for one in verify(chain).problems)


def test_an_end_that_was_settled_stays_settled_when_the_chain_goes_on(chain: Connection, places: Path) -> None:
    add(chain, 5)
    keeper = Keeper(chain)
    keeper.seal()
    keeper.write_head()
    with as_owner(chain):
        chain.execute(DELETE_LINK, [5])
    said("audit_settled", "--reason", "looked into")
    assert verify(chain).problems == []
    Keeper(chain).seal()
    report = verify(chain)
    assert (report.problems, report.settled) == ([], ["link 5 is missing: its entry and seal were deleted"])


def test_a_line_of_heads_that_was_settled_is_that_line_alone(chain: Connection, places: Path) -> None:
    add(chain, 3)
    keeper = Keeper(chain)
    keeper.seal()
    keeper.write_head()
    file = next((places / "audit-heads").glob("*.jsonl"))
    file.write_bytes(file.read_bytes() + b"nonsense\n")
    assert len(verify(chain).problems) == 1
    said("audit_settled", "--reason", "a disk that was full")
    assert verify(chain).problems == []
    file.write_bytes(b"other nonsense\n" + file.read_bytes())
    assert verify(chain).problems == [f"a written head in {file} cannot be read"]


@pytest.mark.parametrize("is_started_anew", [False, True])
def test_who_connects_again_knows_the_end(chain: Connection, places: Path, is_started_anew: bool) -> None:
    """Also when no head was written of it, and whether the process lives on or is another."""
    memory = Memory()
    keeper = Keeper(chain, memory)
    add(chain, 3)
    keeper.seal()
    keeper.write_head()
    add(chain, 2)
    keeper.seal()
    if not is_started_anew:
        (places / "audit-known.json").unlink()
    with as_owner(chain):
        chain.execute(DELETE_LINK, [4])
        chain.execute(DELETE_LINK, [5])
    again = Keeper(chain, Memory() if is_started_anew else memory)
    again.seal()
    assert problems(chain) == ["link 5, the chain's end a moment ago, is gone or was changed"]
    again.seal()
    assert verify(chain).problems == ["links 4 to 5 are missing: their entries and seals were deleted"]


def test_an_end_put_anew_under_the_same_number_is_known_to_be_another(chain: Connection, places: Path) -> None:
    keeper = Keeper(chain)
    add(chain, 3)
    keeper.seal()
    with as_owner(chain):
        chain.execute(DELETE_LINK, [3])
        chain.execute("INSERT INTO audit_seal SELECT 3, 1000000000, sha256('x')")
    Keeper(chain).seal()
    assert problems(chain) == ["link 3, the chain's end a moment ago, is gone or was changed"]


def test_a_known_end_that_nobody_signed_is_told(chain: Connection, places: Path) -> None:
    keeper = Keeper(chain)
    add(chain, 3)
    keeper.seal()
    known = places / "audit-known.json"
    known.write_bytes(known.read_bytes().replace(b'"sequence":3', b'"sequence":2'))
    Keeper(chain)
    assert problems(chain) == [f"the chain's last known end in {known} is not signed with this instance's key"]
