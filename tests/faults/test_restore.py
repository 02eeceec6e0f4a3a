"""The machine burns under load; what was backed up comes back, to its end and to a moment."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults import oracle
from tests.faults.feeding import feeding
from tests.faults.ledger import Ledger
from tests.faults.system import wait_until
from tests.installation import Installation, installed

FIXES_PER_S = 500
LOAD_S = 4.0
LOST_AT_MOST_S = 5.0
OLD = """
    INSERT INTO ingest_reject (source_id, received_at, reason, detail, part, quarantined)
    SELECT id, now() - interval '4000 days', 'unparsable', 'long past', '', false FROM ingest_source LIMIT 1
"""
WAITING = "SELECT 1 FROM ingest_inbound LIMIT 1"
WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
pytestmark = pytest.mark.long


@dataclass
class Burnt:
    """What is known after the fire. Moments by this machine's clock, which is the database's too."""

    installation: Installation
    backups: Path
    ledger: Ledger
    moment: datetime
    destroyed_at: float
    commands: frozenset[str]

    def restored(self, *words: str) -> str:
        told = self.installation.must("restore", *words)
        self.installation.start()
        wait_until(lambda: not self.installation.rows(WAITING), within_s=60, what="the queue is empty", every_s=0.2)
        return told

    def broken_off(self, *words: str) -> None:
        """Begin a restore and kill it once the database is in place."""
        launcher = self.installation.launcher
        argv = [str(launcher.PYTHON), str(self.installation.folder / "rtcc"), "restore", str(self.backups), *words]
        quiet = subprocess.DEVNULL
        begun = subprocess.Popen(argv, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True, env=self.installation.environment())
        try:
            seen = launcher.wait_until(lambda: launcher.Project().remembered().get("unsettled") or begun.poll() is not None, 120, 0.01)
            assert seen
            assert begun.poll() is None, "it ended before it could be killed"
        finally:
            os.killpg(begun.pid, signal.SIGKILL)
            begun.wait()
        assert launcher.wait_until(lambda: not launcher.Project().servers.postgres_processes, 30)

    def lost_s(self, before: float) -> float:
        """Return how long before a moment the first fix was acknowledged that is not there; 0 when all are."""
        stored = {tuple(row[:2]) for row in self.installation.rows(oracle.STORED, [f"{self.ledger.prefix}%"])}
        begun = 0
        for at, count in self.ledger.acknowledged:
            if at <= before and any((fix.identity, fix.observed_us) not in stored for fix in self.ledger.fixes[begun:count]):
                return before - at
            begun = count
        return 0.0


@pytest.fixture(scope="module")
def burnt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Burnt]:
    folder = tmp_path_factory.mktemp("fire")
    with installed(folder / "project") as installation:
        installation.start()
        staged = json.loads(installation.run_module("tests.faults.staging"))
        commands = installation.must("run", "help", "--commands").split()
        installation.must("backup", "--to", str(folder / "backups"))
        with feeding(installation.port, staged, "fire-", fixes_per_s=FIXES_PER_S) as feed:
            time.sleep(LOAD_S / 2)
            before, began = installation.rows(WRITTEN)[0][0], time.monotonic()
            time.sleep(LOAD_S)
            wal_mb_s = float(installation.rows(WRITTEN)[0][0] - before) / 1e6 / (time.monotonic() - began)
            installation.rows(OLD)
            moment = datetime.now(UTC)
            if "retention" in commands:
                installation.must("run", "retention", "--now", "--until-done")
            time.sleep(LOAD_S)
            destroyed_at = time.time()
            installation.destroy()
        print(f"{wal_mb_s:.2f} MB of WAL a second at {FIXES_PER_S} fixes a second")
        yield Burnt(installation, folder / "backups", feed.ledger, moment, destroyed_at, frozenset(commands))


def test_it_comes_back_with_all_but_the_last_seconds(burnt: Burnt) -> None:
    assert len(burnt.ledger.fixes) > LOAD_S * FIXES_PER_S
    told = burnt.restored(str(burnt.backups))
    assert "the end of what was received" in told
    assert burnt.lost_s(burnt.destroyed_at) <= LOST_AT_MOST_S
    print(f"{len(burnt.ledger.fixes)} fixes acknowledged; lost {burnt.lost_s(burnt.destroyed_at):.2f} s")
    assert burnt.installation.rows("SELECT count(*) FROM accounts_membersession") == [(0,)]
    assert burnt.installation.rows("SELECT count(*) FROM audit_entry WHERE act = 'database_restored'") == [(1,)]


def test_a_moment_is_exact_also_when_its_restore_is_broken_off(burnt: Burnt) -> None:
    if burnt.installation.project.is_up():
        burnt.installation.must("down")
    burnt.broken_off("--to", burnt.moment.isoformat(), "--replace")
    for verb in (("up",), ("process", "web")):
        refused = burnt.installation.rtcc(*verb)
        assert (refused.returncode, "./rtcc restore --finish" in refused.stderr) == (2, True)
    told = burnt.restored("--finish")
    if {"retention", "verify_audit"} <= burnt.commands:
        assert burnt.installation.rows("SELECT count(*) FROM ingest_reject WHERE detail = 'long past'") == [(0,)]
        assert "the audit is whole" in told
        assert "the audit is whole" in burnt.installation.must("run", "verify_audit")
    else:
        assert "this version has no" in told
    assert burnt.lost_s(burnt.moment.timestamp()) == 0
    assert burnt.installation.rows("SELECT count(*) FROM ingest_post WHERE received_at > %s", [burnt.moment]) == [(0,)]
    assert burnt.installation.rows("SELECT generation > 1000 FROM accounts_instance") == [(True,)]
