"""What dies in a web process starts again, or takes the process with it; no browser keeps what is no longer kept up."""

import json
import urllib.request
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.apps.live.browser import Open
from tests.apps.live.test_hub import shows
from tests.apps.live.town import WEST, Town
from tests.running import RunningSystem, wait_until

LOOPS = {"hub _poll_forever", "hub _tick_forever", "hub _beat_forever", "hub run", "hub _fail_with_jobs"}
KEPT = {"the hub", "front door, housekeeping", "front door, committer 0", "front door, committer 1"}


@pytest.fixture(scope="session")
def running(live_database: str) -> Iterator[RunningSystem]:
    """The web process of these tests fails on request."""
    with RunningSystem(database=live_database, web="tests.apps.live.faulty_web:application") as system:
        system.start("web")
        yield system


def ask(system: RunningSystem, *words: str) -> set[str]:
    """Make a fault, and return the tasks beside requests."""
    with urllib.request.urlopen(f"{system.url}/faults/{'/'.join(map(quote, words))}", timeout=5) as answer:
        return set(json.load(answer))


def test_these_are_all_the_tasks_that_run_beside_requests(system: RunningSystem) -> None:
    wait_until(lambda: ask(system, "list") == LOOPS | KEPT, within_s=5, what="no other task lasts")
    assert ask(system, "list") >= KEPT


@pytest.mark.parametrize("loop", sorted(LOOPS))
async def test_a_loop_that_ends_unasked_starts_again_and_browsers_begin_anew(system: RunningSystem, open_browser: Open, loop: str) -> None:
    town = Town()
    unit = town.unit()
    before = await open_browser(town.member())
    await before.until(lambda: shows(before, town), what="the snapshot")
    ask(system, "cancel", loop)
    await before.until(lambda: before.closed == 1013, what="the end of what is no longer kept up")
    town.drive(unit, WEST)
    after = await open_browser(town.member())
    await after.until(lambda: shows(after, town) and after.heartbeats, what="what is there now, and that it is live")
    assert ask(system, "list") >= LOOPS


@pytest.mark.parametrize("method", ["catch_up", "introduce", "state", "rows", "rights"])
async def test_a_read_that_fails_unforeseen_leaves_nothing_old_on_a_map(system: RunningSystem, open_browser: Open, method: str) -> None:
    town = Town()
    town.call("H-1")
    before = await open_browser(town.member())
    await before.until(lambda: shows(before, town), what="the snapshot")
    ask(system, "read", method)
    town.call("H-1", state="closed", hints=False)
    town.unit()
    if method == "rights":
        Town()  # grants of another agency change the epoch
    await before.until(lambda: before.closed == 1013, what="the end of what is no longer kept up")
    after = await open_browser(town.member())
    await after.until(lambda: shows(after, town) and after.heartbeats, what="what is there now, and that it is live")
    assert after.faults == []


@pytest.mark.parametrize("task", sorted(KEPT))
def test_a_task_that_nothing_starts_again_takes_the_process_with_it(system: RunningSystem, task: str) -> None:
    process = system.processes["web"]
    ask(system, "cancel", task)
    if task == "front door, housekeeping":
        wait_until(lambda: task in ask(system, "list"), within_s=5, what="it starts again by itself")
        assert process.poll() is None
        return
    wait_until(lambda: process.poll() is not None, within_s=15, what="the end of the process")
    assert process.returncode != 0
