"""Backups of a small database: exact to the moment, whole or not there at all, and clear about what is wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.launcher.conftest import ROOT, load
from tests.launcher.test_backup_folder import add_base


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A launcher in a folder of its own, whose project has a running PostgreSQL, no application, and a supervisor's care."""
    folder = tmp_path_factory.mktemp("saved")
    shutil.copytree(ROOT / "rtcc_geo", folder / "rtcc_geo", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "rtcc", folder / "rtcc")
    for name in ("apps", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    launcher = load(folder / "rtcc")
    servers = launcher.Project().servers
    try:
        begin(launcher)
        servers.query("CREATE TABLE accounts_instance AS SELECT 4 AS generation, 'operational' AS kind; CREATE TABLE story (n int)")
        yield launcher
    finally:
        servers.remove()


def begin(launcher: Any) -> Any:
    project = launcher.Project()
    project.servers.start_postgres({"fsync": "off"})
    project.servers.register.add("supervisor", os.getpid())
    project.remember(kind="operational", ready=os.getpid())
    return project


class Care:
    """What the supervisor does each second, ten times a second, until it is stopped."""

    def __init__(self, launcher: Any) -> None:
        project = launcher.Project()
        self.supervisor = launcher.Supervisor(project.servers.register, project.servers.logs, restart=True)
        self.backups, self.done = launcher.BackupCare(project, self.supervisor, lambda text: None), threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self) -> None:
        while not self.done.wait(0.1):
            self.backups.look()

    def stop(self) -> None:
        self.done.set()
        self.thread.join()
        self.supervisor.stop()


@pytest.fixture
def care(launcher: Any) -> Iterator[Care]:
    one = Care(launcher)
    yield one
    one.stop()


def take(launcher: Any, to: Path | None = None, keep: int | None = None, *, stop: bool = False) -> int:
    return int(launcher.backup(Namespace(to=str(to) if to else None, keep=keep, list=False, stop=stop)))


def tell(launcher: Any, number: int) -> None:
    launcher.Project().servers.query(f"INSERT INTO story VALUES ({number})")


def destroy(launcher: Any, *cares: Care) -> None:
    for care in cares:
        care.stop()
    servers = launcher.Project().servers
    for pid in servers.postgres_processes:
        os.kill(pid, signal.SIGKILL)
    servers.clear_postgres()
    for entry in ("postgres", "supervisor"):
        servers.register.drop(entry)
    shutil.rmtree(servers.cluster)


def restored(launcher: Any, monkeypatch: pytest.MonkeyPatch, folder: Path, *, to: str | None = None, replace: bool = False) -> list[str]:
    """Restore, without the part that needs the application, and return the story."""
    monkeypatch.setattr(launcher, "set_up", lambda report: None)
    monkeypatch.setattr(launcher, "settle_restored", lambda *words: 0)
    assert bring_back(launcher, folder, to=to, replace=replace) == 0
    launcher.Project().remember(unsettled=None)
    servers = launcher.Project().servers
    servers.start_postgres({"fsync": "off"})
    told = str(servers.query("SELECT n FROM story ORDER BY n")).split()
    servers.stop_postgres()
    return told


def bring_back(launcher: Any, folder: Path | None, *, to: str | None = None, replace: bool = True, finish: bool = False) -> int:
    return int(launcher.restore(Namespace(folder=folder and str(folder), to=to, replace=replace, finish=finish)))


def test_a_folder_must_be_named_once(launcher: Any) -> None:
    with pytest.raises(launcher.LauncherError, match="--to FOLDER"):
        take(launcher)


@pytest.mark.parametrize("place", ["/dev/null/backups", "inside"])
def test_a_folder_that_cannot_be_used_is_refused_with_words(launcher: Any, place: str) -> None:
    inside = launcher.Project().servers.data / "backups"
    with pytest.raises((launcher.LauncherError, launcher.FolderProblem), match=r"a private folder|inside the instance's own"):
        take(launcher, inside if place == "inside" else Path(place))


def test_everything_comes_back_and_a_moment_is_exact(
    launcher: Any, care: Care, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, servers = tmp_path / "backups", launcher.Project().servers
    (servers.state / "secrets.json").write_text('{"secret_key": "known"}')
    assert take(launcher, folder) == 0
    assert "WARNING: the backups are on the same disk" in capsys.readouterr().out
    assert {path.stat().st_mode & 0o777 for path in (folder, folder / "wal", folder / "base")} == {0o700}
    assert servers.query("SELECT setting::int > 0 FROM pg_settings WHERE name = 'max_slot_wal_keep_size'") == "t"
    tell(launcher, 1)
    time.sleep(0.05)
    moment = datetime.now(UTC)
    time.sleep(0.05)
    tell(launcher, 2)
    os.kill(care.supervisor.pid("receiver"), signal.SIGKILL)
    tell(launcher, 3)
    servers.query("SELECT pg_switch_wal()")
    tell(launcher, 4)
    active = "SELECT active AND restart_lsn >= pg_current_wal_flush_lsn() FROM pg_replication_slots"
    assert launcher.wait_until(lambda: servers.query(active) == "t", 20)
    purged = servers.state / "retention-purged.jsonl"
    purged.write_text("newer than the base backup\n")
    assert launcher.wait_until((folder / "state" / purged.name).exists, 10)
    with pytest.raises(launcher.LauncherError, match=r"stop it first with \./rtcc down"):
        bring_back(launcher, folder)

    destroy(launcher, care)
    shutil.rmtree(servers.state)
    assert restored(launcher, monkeypatch, folder) == ["1", "2", "3", "4"]
    assert json.loads((servers.state / "secrets.json").read_text()) == {"secret_key": "known"}
    purged.write_text("newer than the last backup\n")
    with pytest.raises(launcher.LauncherError, match="--replace"):
        bring_back(launcher, folder, replace=False)
    assert restored(launcher, monkeypatch, folder, to=moment.isoformat(), replace=True) == ["1"]
    assert len(list(servers.data.glob("before-*/postgres"))) == 1
    assert purged.read_text() == "newer than the base backup\nnewer than the last backup\n"
    begin(launcher)
    with pytest.raises(launcher.FolderProblem, match="another history"):
        take(launcher, folder)


def test_a_killed_backup_leaves_nothing_that_looks_whole(launcher: Any, care: Care, tmp_path: Path) -> None:
    folder = launcher.BackupFolder(tmp_path / "killed")
    take(launcher, folder.folder)
    argv = [sys.executable, str(launcher.ROOT / "rtcc"), "backup"]
    killed = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    assert launcher.wait_until(lambda: list(folder.bases.glob("*.unfinished/database/*")) != [], 20, 0.002)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert len(folder.all()) == 1
    assert list(folder.bases.glob("*.unfinished")) != []
    take(launcher, keep=1)
    assert [base.folder for base in folder.all()] == list(folder.bases.iterdir())
    assert len(folder.all()) == 1


def test_a_disk_that_is_full_or_away_is_told(launcher: Any, care: Care, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take(launcher, tmp_path / "told")
    with monkeypatch.context() as patch:
        patch.setattr(launcher, "free_disk_mb", lambda place: 3)
        with pytest.raises(launcher.LauncherError, match=r"the backup needs .* MB are free"):
            take(launcher)
    (tmp_path / "told").rename(tmp_path / "away")
    with pytest.raises(launcher.LauncherError, match="is the disk of the backups mounted"):
        take(launcher)
    assert any("NOT THERE" in finding.text for finding in launcher.doctor_backups(launcher.Project()))
    (tmp_path / "away").rename(tmp_path / "told")
    assert take(launcher) == 0


def test_where_the_disk_is_short_older_backups_make_room_for_the_next_one(
    launcher: Any, report: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup that waited for room would never come, and its WAL would fill what is left."""
    folder, servers = launcher.BackupFolder(tmp_path / "short"), launcher.Project().servers
    folder.adopt({})
    for hour in (10, 12, 14):
        add_base(folder, hour, hour)
    (folder.bases / "20261126T150000Z.unfinished").mkdir()
    monkeypatch.setattr(launcher, "free_disk_mb", lambda place: 3 if len(list(folder.bases.iterdir())) > 2 else 9999)
    launcher.make_room(servers, folder, report)
    assert [base.ended.hour for base in folder.all()] == [12, 14]
    monkeypatch.setattr(launcher, "free_disk_mb", lambda place: 3)
    with pytest.raises(launcher.LauncherError, match="the backup needs"):
        launcher.make_room(servers, folder, report)
    assert [base.ended.hour for base in folder.all()] == [14]


def test_a_first_backup_that_fails_leaves_nothing_that_keeps_wal(
    launcher: Any, care: Care, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, slots = launcher.Project(), "SELECT count(*) FROM pg_replication_slots"

    def fails(*words: Any) -> None:
        raise OSError(28, "No space left on device")

    take(launcher, stop=True)
    assert project.servers.query(slots) == "0"
    with monkeypatch.context() as patch:
        patch.setattr(launcher, "take_base", fails)
        with pytest.raises(launcher.LauncherError, match=r"no backup was taken: .* No space left"):
            take(launcher, tmp_path / "first")
    assert (project.servers.query(slots), launcher.backup_settings(project)) == ("0", {})
    launcher.prepare_slot(project.servers)
    assert any("NOT RECEIVED by anybody" in finding.text for finding in launcher.doctor_backups(project))
    take(launcher, stop=True)
    assert project.servers.query(slots) == "0"


def test_under_units_the_receiver_is_one_of_them(launcher: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = launcher.Project()
    monkeypatch.setattr(launcher, "RECEIVER_WITHIN_S", 0.1)
    project.servers.register.drop("supervisor")
    with pytest.raises(launcher.LauncherError, match="the instance is not running"):
        launcher.require_receiver(project)
    receiver = subprocess.Popen([sys.executable, launcher.ROOT / "rtcc", "process", "receiver"], stdout=subprocess.DEVNULL)
    try:
        assert launcher.wait_until(lambda: launcher.is_shared(project.servers.data), 15)
        with pytest.raises(launcher.LauncherError, match="systemctl start rtcc-geo-receiver"):
            launcher.require_receiver(project)
        monkeypatch.setattr(launcher, "RECEIVER_WITHIN_S", 20)
        assert take(launcher, tmp_path / "by a unit") == 0
        (project.servers.state / "note").write_text("copied as it changes")
        assert launcher.wait_until((tmp_path / "by a unit" / "state" / "note").exists, 10)
        assert take(launcher, stop=True) == 0
        receiver.terminate()
        assert receiver.wait(10) == 0
    finally:
        receiver.kill()
        receiver.wait()
        project.servers.register.add("supervisor", os.getpid())


@pytest.mark.parametrize(
    ("moment", "words"),
    [("yesterday", "is not a moment"), ("2026-11-26T20:00:00", "no time zone"), ("2026-11-26T20:00:00Z", "before the oldest backup")],
)
def test_a_moment_that_cannot_be_reached_is_refused(launcher: Any, moment: str, words: str, tmp_path: Path) -> None:
    ended = (datetime(2026, 11, 26, 20, tzinfo=UTC) + timedelta(hours=1)).isoformat()
    base = tmp_path / "base" / "20261126T210000Z"
    base.mkdir(parents=True)
    (base / "manifest.json").write_text(json.dumps({"began": ended, "ended": ended, "first_segment": "0" * 24, "state": {}}))
    with pytest.raises(launcher.FolderProblem, match=words):
        bring_back(launcher, tmp_path, to=moment, replace=False)


def test_a_moment_to_come_is_refused(launcher: Any, tmp_path: Path) -> None:
    with pytest.raises(launcher.LauncherError, match="has not come yet"):
        bring_back(launcher, tmp_path, to="2999-01-01T00:00:00Z", replace=False)


def test_a_database_of_newer_code_is_refused_and_named(launcher: Any, tmp_path: Path) -> None:
    """Django passes over applied migrations that are not on the disk."""
    servers = launcher.Project().servers
    known = "CREATE TABLE django_migrations AS SELECT 'accounts' AS app, '0001_initial' AS name"
    servers.query(f"{known} UNION ALL SELECT 'accounts', '9999_of_newer_code'")
    newer = launcher.unknown_migrations(servers)
    assert newer == ["accounts.9999_of_newer_code"]
    servers.query("DELETE FROM django_migrations WHERE name <> '0001_initial'")
    with pytest.raises(launcher.LauncherError, match=r"newer code .* accounts\.9999_of_newer_code\. Nothing was changed"):
        launcher.require_known(newer, tmp_path)
    assert not tmp_path.exists()


def test_a_restore_is_served_only_once_it_is_finished(
    launcher: Any, care: Care, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The database that was here is a pilot's: what its retention removed is not removed here. (The last of this file: it ends it.)"""
    project, done, fails = launcher.Project(), [], {"retention"}
    servers, refused = project.servers, pytest.raises(launcher.LauncherError, match=r"\./rtcc restore --finish")

    def manage(instance: Any, step: Any, *words: str) -> str:
        done.append(words[0])
        if words[0] in fails:
            raise launcher.CommandFailed(f"{words[0]}: no space")
        return "done"

    monkeypatch.setattr(launcher, "set_up", lambda report: None)
    monkeypatch.setattr(launcher, "manage_shown", manage)
    purged, control = servers.state / "retention-purged.jsonl", servers.cluster / "global" / "pg_control"
    purged.unlink(missing_ok=True)
    take(launcher, tmp_path / "saved")
    care.stop()
    servers.stop_postgres()
    servers.register.drop("supervisor")
    purged.write_text("of the pilot\n")
    control.write_bytes(b"pilot" + control.read_bytes()[5:])
    with refused:
        bring_back(launcher, tmp_path / "saved")
    assert done[:3] == ["migrate", "after_restore", "retention"]
    for verb in (lambda: launcher.up(Namespace(detach=True)), lambda: launcher.upgrade(Namespace()), lambda: take(launcher)):
        with refused:
            verb()
    unit = subprocess.run([sys.executable, launcher.ROOT / "rtcc", "process", "web"], capture_output=True, text=True)
    assert (unit.returncode, "./rtcc restore --finish" in unit.stderr) == (2, True)
    servers.state.rename(servers.data / launcher.FRESH["state"])  # as if it had been killed while it put things in place
    fails.clear()
    done.clear()
    assert bring_back(launcher, None, finish=True) == 0
    assert done == ["migrate", "after_restore", "retention", "audit_restored", "verify_audit"]
    assert "The database that was here is kept in" in capsys.readouterr().out
    assert not purged.exists()
    with pytest.raises(launcher.LauncherError, match="no restore of this instance waits"):
        bring_back(launcher, None, finish=True)
