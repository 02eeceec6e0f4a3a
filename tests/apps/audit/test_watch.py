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
from apps.audit.heads import HeadBook
from apps.audit.signing import read_key
from apps.audit.verifying import Report, verify
from tests.apps.audit.conftest import add, as_owner
from tests.running import RunningSystem, wait_until

FOUND_WITHIN_S = 60
CHANGE_THIRD = "UPDATE audit_entry SET member_name = 'x' WHERE id = (SELECT entry_id FROM audit_seal WHERE sequence = 3)"
DELETE_LINK = """
    WITH gone AS (DELETE FROM audit_seal WHERE sequence = %s RETURNING entry_id) DELETE FROM audit_entry USING gone WHERE id = entry_id
"""


@pytest.fixture
def system(chain: Connection, audit_database: str, tmp_path: Path, settings: Settings) -> Iterator[RunningSystem]:
    """Processes on the audit's database; commands that the test calls itself share their state folder."""
    extra = {"RTCC_AUDIT_HEADS": str(tmp_path / "elsewhere")}
    with RunningSystem(database=audit_database, redis_url="unix:///nowhere", extra=extra) as one:
        settings.STATE_FOLDER, settings.AUDIT_HEADS = one.state, extra["RTCC_AUDIT_HEADS"]
        yield one


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


def verified(chain: Connection, system: RunningSystem) -> Report:
    heads = HeadBook(read_key(system.state).public_key(), [system.state / "audit-heads"])
    heads.look()
    return verify(chain, heads)


def is_sealed(chain: Connection) -> bool:
    return count(chain, "audit_unsealed") == 0


def test_what_the_owner_does_beside_it_is_found_within_a_minute(chain: Connection, system: RunningSystem) -> None:
    add(chain, 20)
    system.start("watch")
    wait_until(lambda: count(chain, "audit_seal") == 20 and written_heads(system), within_s=30, what="sealed, and a head written")
    deeds: dict[str, Callable[[], object]] = {
        "(link 3) is not what was sealed": lambda: chain.execute(CHANGE_THIRD),
        "link 9 is missing": lambda: chain.execute(DELETE_LINK, [9]),
        "the chain's end a moment ago, is gone": lambda: cut_end(chain),
    }
    for sentence, deed in deeds.items():
        with as_owner(chain):
            deed()
        begun = time.monotonic()
        wait_until(lambda sentence=sentence: any(sentence in one for one in problems(chain)), within_s=FOUND_WITHIN_S, what=sentence)
        print(f"{sentence}: found after {time.monotonic() - begun:.1f} s")
    assert "link 9 is missing" in str(chain.execute("SELECT problems FROM audit_chainstate").fetchone())
    assert "ERROR" in system.log("watch")


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
    assert verified(chain, system).problems == []
    assert [name for name in ("watch", "watch:2") if "active" in system.log(name)] != [active]


def test_the_head_is_written_off_the_database_in_both_places(chain: Connection, system: RunningSystem, tmp_path: Path) -> None:
    add(chain, 3)
    system.start("watch")
    wait_until(lambda: count(chain, "audit_seal") == 3, within_s=30, what="sealed")
    system.kill("watch", 15)
    [*_, last] = written_heads(system)
    assert (last["sequence"], last["count"]) == (3, 3)
    assert [file.read_text() for file in (tmp_path / "elsewhere").glob("*")] == [
        file.read_text() for file in (system.state / "audit-heads").glob("*")
    ]
    assert "the audit is whole" in said("verify_audit")
    assert "the audit is whole" in said("verify_audit", "--heads", str(tmp_path / "elsewhere"), "--public-key", said("audit_key").strip())
    with as_owner(chain):
        chain.execute(CHANGE_THIRD)
    with pytest.raises(CommandError, match="the audit is NOT whole: 1 problems"):
        said("verify_audit")


def test_a_database_put_back_on_purpose_is_accepted_once_that_is_signed(chain: Connection, system: RunningSystem) -> None:
    add(chain, 5)
    system.start("watch")
    wait_until(lambda: count(chain, "audit_seal") == 5, within_s=30, what="sealed")
    system.kill("watch", 15)
    with as_owner(chain):
        chain.execute("DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_seal WHERE sequence > 3)")
        chain.execute("DELETE FROM audit_seal WHERE sequence > 3")
    assert verified(chain, system).problems == ["the end was deleted: links 4 to 5 are missing: their entries and seals were deleted"]
    said("audit_restored", "--reason", "restored to noon after a disk died")
    system.start("watch")
    wait_until(lambda: count(chain, "audit_seal") == 4, within_s=30, what="the entry of the restoring is sealed")
    assert verified(chain, system).problems == []
