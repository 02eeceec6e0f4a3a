"""The code of the last landing runs under load with data in its database, and becomes this code."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import oracle
from tests.faults.feeding import Feeding, feeding
from tests.faults.system import wait_until
from tests.installation import ROOT, Installation, installed

LAST_LANDING = "a85119d"
FIXES_PER_S = 500
BEFORE_S, AFTER_S = 5.0, 3.0
GAP_AT_MOST_S = 3.0
WAITING = "SELECT 1 FROM ingest_inbound LIMIT 1"
Landed = tuple[Installation, dict[str, Any]]
pytestmark = pytest.mark.long


def tree_of(commit: str, folder: Path) -> Path:
    """Unpack the files of a commit."""
    done = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"not run: this copy of the project has no history with {commit}: {done.stderr.decode().strip()}")
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", str(folder)], input=done.stdout, check=True)
    return folder


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landed]:
    folder = tmp_path_factory.mktemp("landing")
    with installed(folder / "project", tree_of(LAST_LANDING, folder / "tree")) as installation:
        installation.start()
        yield installation, json.loads(installation.run_module("tests.faults.staging"))


def judge(installation: Installation, feed: Feeding, since: float) -> None:
    """Nothing acknowledged is lost, and the map never stood still for long."""
    feed.end()
    until = time.monotonic()
    wait_until(lambda: not installation.rows(WAITING), within_s=60, what="the queue is empty", every_s=0.2)
    verdict = oracle.judge(installation.rows, feed.ledger)
    verdict.note("clients_wrong", feed.wrong_on_screen(installation.rows, within_s=10))
    gap_s = feed.map.longest_gap_s(since, until)
    told = f"{len(feed.ledger.fixes)} fixes and {len(feed.ledger.calls)} calls acknowledged in {until - since:.1f} s, "
    print(f"{told}{feed.ledger.repeats} posts sent again; longest gap on the map {gap_s:.2f} s; {verdict.counts}")
    assert verdict.counts == dict.fromkeys(verdict.counts, 0), "\n".join(verdict.told)
    assert gap_s <= GAP_AT_MOST_S
    assert feed.screen.faults == []


def test_the_last_landing_becomes_this_code_without_a_loss(landed: Landed) -> None:
    installation, staged = landed
    before = installation.pids()
    with feeding(installation.port, staged, "first-", fixes_per_s=FIXES_PER_S) as feed:
        time.sleep(BEFORE_S)
        since = time.monotonic()
        installation.lay(ROOT)
        print(installation.must("upgrade"))
        time.sleep(AFTER_S)
        judge(installation, feed, since)
    assert installation.pids()["postgres"] == before["postgres"]
    assert not {before[name] for name in ("web", "pipeline", "listen", "worker", "beat")} & set(installation.pids().values())
    assert installation.rtcc("status").returncode == 0


def test_this_code_becomes_the_next_one_and_nobody_is_refused(landed: Landed) -> None:
    installation, staged = landed
    before = installation.pids()
    with feeding(installation.port, staged, "second-", fixes_per_s=FIXES_PER_S) as feed:
        time.sleep(BEFORE_S)
        since = time.monotonic()
        with (installation.folder / "apps" / "geo" / "apps.py").open("a") as file:
            file.write("\n# The next version.\n")
        installation.must("upgrade")
        time.sleep(AFTER_S)
        judge(installation, feed, since)
    assert installation.pids()["supervisor"] == before["supervisor"]
    assert installation.pids()["web"] != before["web"]
