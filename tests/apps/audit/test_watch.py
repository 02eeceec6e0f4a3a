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
    deeds: dict[str, Callable[[], object]] = {
        "(link 3) is not what was sealed": lambda: chain.execute(CHANGE_THIRD),
        "link 9 is missing": lambda: chain.execute(DELETE_LINK, [9]),
        "(link 12) is not what was sealed": lambda: swap(chain, 12, 13),
        "the chain's end a moment ago, is gone": lambda: cut_end(chain),
        "the chain was rewritten: link 20 is not the head": lambda: rewrite(chain),
    }
    for sentence, deed in deeds.items():
        with as_owner(chain):
            deed()
        begun = time.monotonic()
        wait_until(lambda sentence=sentence: any(sentence in one for one in problems(chain)), within_s=FOUND_WITHIN_S, what=sentence)
        print(f"{sentence}: found after {time.monotonic() - begun:.1f} s")
    assert "link 9 is missing" in str(chain.execute("SELECT problems FROM audit_chainstate").fetchone())
    assert "ERROR" in system.log("watch")


def swap(chain: Connection, one: int, other: int) -> None:
    """Let two entries change places."""
    first, second = (chain.execute("SELECT entry_id FROM audit_seal WHERE sequence = %s", [link]).fetchone() or () for link in (one, other))
    for entry, link in ((-1, one), (*first, other), (*second, one)):
        chain.execute("UPDATE audit_seal SET entry_id = %s WHERE sequence = %s", [entry, link])


def cut_end(chain: Connection) -> None:
    """Delete the newest entry and its seal when all is sealed, before a head tells of them."""
    wait_until(lambda: is_sealed(chain), within_s=10, what="all sealed")
    chain.execute(DELETE_LINK, [count(chain, "audit_seal") + 1])  # one is gone already


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
    assert "settled up to link 8: 3 problems" in said("audit_settled", "--reason", "a wrong restore, put right")
    keeper.seal()
    report = verify(chain)
    assert report.problems == []
    assert [sentence.split(" ")[0] for sentence in report.settled] == ["entry", "link"]
    assert "settled: link 5 is missing" in said("verify_audit")
    with as_owner(chain):
        chain.execute(DELETE_LINK, [9])
    assert verify(chain).problems == ["link 9 is missing: its entry and seal were deleted"]
