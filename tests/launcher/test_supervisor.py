"""Processes under care: restarted with back-off, stopped with all of their children, and never a stranger's."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

SLEEPER = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)")


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def supervisor(launcher: Any, short_folder: Path, told: list[str]) -> Iterator[Any]:
    keeper = launcher.Supervisor(launcher.Register(short_folder / "processes.json"), short_folder, restart=True, tell=told.append)
    yield keeper
    keeper.stop(timeout_s=2)


@pytest.fixture
def program(launcher: Any, short_folder: Path) -> Any:
    def make(name: str, argv: tuple[str, ...] = SLEEPER, **more: Any) -> Any:
        return launcher.Program(name, argv, {**os.environ, launcher.MARK: "test"}, short_folder, **more)

    return make


def wait_for(launcher: Any, condition: Any) -> None:
    assert launcher.wait_until(condition, 15)


def test_a_killed_process_comes_back(launcher: Any, supervisor: Any, program: Any, told: list[str]) -> None:
    supervisor.start(program("web"))
    first = supervisor.pid("web")
    os.kill(first, signal.SIGKILL)
    wait_for(launcher, lambda: supervisor.pid("web") not in (None, first))
    assert told == ["web ended with -9; it starts again in 0.5 s (log: web)"]
    assert supervisor.register.entries()["web"]["restarts"] == 1


def test_each_further_wait_is_twice_as_long(
    launcher: Any, supervisor: Any, program: Any, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(launcher, "LONGEST_DELAY_S", 0.04)
    supervisor.start(program("broken", (sys.executable, "-c", "raise SystemExit(3)")))
    wait_for(launcher, lambda: len(told) >= 4)
    assert [line.split(" in ")[1].split(" s ")[0] for line in told[:4]] == ["0.01", "0.02", "0.04", "0.04"]


def test_the_wait_is_short_again_after_a_healthy_run(
    launcher: Any, supervisor: Any, program: Any, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(launcher, "HEALTHY_AFTER_S", 0.0)
    supervisor.start(program("short", (sys.executable, "-c", "pass")))
    wait_for(launcher, lambda: len(told) >= 3)
    assert {line.split(" in ")[1].split(" s ")[0] for line in told} == {"0.01"}


def test_without_restart_a_dead_process_stays_dead(launcher: Any, short_folder: Path, program: Any) -> None:
    supervisor = launcher.Supervisor(launcher.Register(short_folder / "processes.json"), short_folder, restart=False)
    supervisor.start(program("web"))
    os.kill(supervisor.pid("web"), signal.SIGKILL)
    wait_for(launcher, lambda: supervisor.pid("web") is None)
    time.sleep(0.7)
    assert supervisor.pid("web") is None
    supervisor.start(program("web"))
    assert supervisor.pid("web") is not None
    supervisor.stop()


def test_a_process_that_cannot_be_started_is_told_and_tried_again(launcher: Any, supervisor: Any, program: Any, told: list[str]) -> None:
    tries: list[int] = []

    def not_at_first() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise launcher.LauncherError("no room")

    supervisor.start(program("late", before=not_at_first))
    assert supervisor.pid("late") is not None
    assert told == ["late did not start: no room; it starts again in 0.5 s (log: late)"]


def test_its_output_goes_into_its_own_log_with_the_time(launcher: Any, supervisor: Any, program: Any, short_folder: Path) -> None:
    supervisor.start(program("web"))
    log = short_folder / "web.log"
    wait_for(launcher, lambda: "web | up" in log.read_text())
    assert log.read_text()[:4].isdigit()


def test_stopping_ends_children_too_also_stubborn_and_frozen_ones(launcher: Any, supervisor: Any, program: Any, short_folder: Path) -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER[2]!r}])"
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    supervisor.start(program("parent", (sys.executable, "-c", child)))
    supervisor.start(program("stubborn", (sys.executable, "-c", stubborn)))
    supervisor.start(program("frozen"))
    wait_for(launcher, lambda: "up" in (short_folder / "parent.log").read_text())
    time.sleep(0.3)
    os.kill(supervisor.pid("frozen"), signal.SIGSTOP)
    sessions = [supervisor.pid(name) for name in ("parent", "stubborn", "frozen")]
    supervisor.stop(timeout_s=1)
    assert [pid for session in sessions for pid in launcher.members_of_session(session)] == []
    assert supervisor.register.entries() == {}


def test_a_child_that_outlives_its_parent_does_not_hide_the_end(launcher: Any, supervisor: Any, program: Any, short_folder: Path) -> None:
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER[2]!r}])"
    supervisor.start(program("worker", (sys.executable, "-c", parent)))
    wait_for(launcher, lambda: "up" in (short_folder / "worker.log").read_text())
    first = supervisor.pid("worker")
    os.kill(first, signal.SIGKILL)
    wait_for(launcher, lambda: supervisor.pid("worker") not in (None, first))
    assert launcher.members_of_session(first) == []


def test_a_later_launcher_ends_what_a_killed_one_left_and_nothing_else(launcher: Any, short_folder: Path) -> None:
    env = {**os.environ, launcher.MARK: "test"}
    with subprocess.Popen(SLEEPER, env=env, start_new_session=True) as ours, subprocess.Popen(SLEEPER, start_new_session=True) as stranger:
        register = launcher.Register(short_folder / "processes.json")
        register.add("web", ours.pid)
        register.add("pipeline", stranger.pid)
        entries = register.entries()
        entries["pipeline"]["started"] = "anotherboot-1"
        (short_folder / "processes.json").write_text(launcher.json.dumps(entries))
        assert launcher.Register(short_folder / "processes.json").stop(["web", "pipeline"], timeout_s=2) == ["web"]
        assert ours.wait(5) == -signal.SIGTERM
        assert stranger.poll() is None
        stranger.kill()


def test_a_half_written_register_counts_as_empty(launcher: Any, short_folder: Path) -> None:
    (short_folder / "processes.json").write_text('{"web": {"pid": 1')
    assert launcher.Register(short_folder / "processes.json").entries() == {}


def test_logs_are_set_aside_when_they_grow_and_the_oldest_go(launcher: Any, short_folder: Path) -> None:
    log = launcher.RotatingLog(short_folder / "web.log", limit=1000, keep=2)
    for number in range(100):
        log.write(f"line {number} " + "x" * 80)
        log.write("\n")
    assert sorted(path.name for path in short_folder.glob("web.log*")) == ["web.log", "web.log.1", "web.log.2"]
    assert "line 99" in (short_folder / "web.log").read_text()
    assert all(path.stat().st_size < 1200 for path in short_folder.glob("web.log*"))


def test_a_full_disk_does_not_stop_a_process_that_logs(launcher: Any) -> None:
    log = launcher.RotatingLog(Path("/dev/full"))
    assert log.write("lost") == 4
    assert log.lost == 1


def test_killed_servers_come_back_under_care(launcher: Any, servers: Any, told: list[str]) -> None:
    servers.make_cluster(sync=False)
    supervisor = launcher.Supervisor(servers.register, servers.logs, restart=True, tell=told.append)
    supervisor.start(servers.postgres_program({"fsync": "off"}))
    supervisor.start(servers.redis_program())
    servers.wait_postgres()
    servers.make_database()
    first = supervisor.pid("postgres"), supervisor.pid("redis")
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    wait_for(launcher, lambda: supervisor.pid("postgres") not in (None, first[0]) and supervisor.pid("redis") not in (None, first[1]))
    servers.wait_postgres()
    assert servers.query("SELECT 1") == "1"
    wait_for(launcher, servers.redis_answers)
    supervisor.stop()
    assert servers.postgres_pid is None


def test_an_upgrade_tells_which_process_does_not_stay_up(
    launcher: Any, supervisor: Any, program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that ends at its first import had a pid when it was started."""
    monkeypatch.setattr(launcher, "STEADY_S", 1.0)
    instance = SimpleNamespace(supervisor=supervisor)
    supervisor.start(program("worker"))
    launcher.require_steady(instance, ["worker"])
    supervisor.start(program("beat", (sys.executable, "-c", "import time; time.sleep(0.2); import no_such_module")))
    with pytest.raises(launcher.LauncherError, match=r"^beat did not stay up with the new code .*\n(.*\n)*.*no_such_module"):
        launcher.require_steady(instance, ["worker", "beat"])
    assert supervisor.pid("worker") is not None
