"""A whole instance in a project folder of its own: up, killed, up again, down. The set-up steps have their own tests."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.launcher.conftest import ROOT, load

DETACHED = json.dumps({"kind": "operational", "port": None, "detach": True, "began": 0, "download_s": 0, "download_bytes": 0})
PROCESSES = {"web", "pipeline", "listen", "watch", "worker", "beat", "postgres", "redis"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """This project in another folder, with the same venv and client; its launcher as a module."""
    folder = tmp_path_factory.mktemp("a b")
    for name in ("apps", "rtcc_geo"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "rtcc", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    for name in (".venv", "static", "docker"):
        (folder / name).symlink_to(ROOT / name)
    launcher = load(folder / "rtcc")
    yield launcher
    rtcc(launcher, "reset", "--yes")


def rtcc(launcher: Any, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([launcher.PYTHON, launcher.ROOT / "rtcc", *words], capture_output=True, text=True, timeout=120)


def start(launcher: Any) -> float:
    """Start the supervisor as `up` does after its set-up steps; return the seconds until it was ready."""
    began = time.monotonic()
    environment = {**launcher.clean_environment(), "RTCC_ORIGIN": "http://wrong:1"}
    child = subprocess.Popen(
        [sys.executable, str(launcher.ROOT / "rtcc"), "_serve", DETACHED],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True,
    )  # fmt: skip
    ready = launcher.wait_until(lambda: launcher.Project().is_up() or child.poll() is not None, 180)
    if not ready or child.poll() is not None:
        child.kill()
        pytest.fail(str(child.communicate()[0]))
    return time.monotonic() - began


def living(launcher: Any) -> dict[str, int]:
    register = launcher.Project().servers.register
    return {name: pid for name in register.entries() if (pid := register.pid(name)) is not None}


def test_the_first_start_runs_everything(project: Any) -> None:
    start(project)
    assert launcher_names(project) == PROCESSES
    shown = rtcc(project, "status")
    assert "operational instance at http://localhost:" in shown.stdout
    assert shown.returncode == 0, shown.stdout


def launcher_names(project: Any) -> set[str]:
    project.wait_until(lambda: set(living(project)) >= {*PROCESSES, "supervisor"}, 20)
    return set(living(project)) - {"supervisor"}


def test_its_port_is_open_on_loopback_only(project: Any) -> None:
    port = project.Project().remembered()["port"]
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    addresses = {fields[1] for fields in lines if fields[3] == "0A" and fields[1].endswith(f":{port:04X}")}
    assert addresses == {f"0100007F:{port:04X}"}


def test_the_first_password_is_shown_once_and_kept_nowhere(project: Any) -> None:
    again = rtcc(project, "up")
    login = [line for line in again.stdout.splitlines() if "sign in as" in line]
    assert again.returncode == 0
    assert "shown this once" in login[0]
    password = login[0].split()[4]
    later = rtcc(project, "up")
    assert password not in later.stdout
    assert "changepassword" in later.stdout
    data = project.Project().servers.data
    assert [path for path in data.glob("*.json") if password in path.read_text()] == []
    assert [path for path in (data / "logs").glob("*.log") if password in path.read_text()] == []


def test_up_while_it_runs_starts_nothing(project: Any) -> None:
    before = living(project)
    again = rtcc(project, "up")
    assert "running already" in again.stdout
    assert living(project) == before


def test_the_other_kind_is_refused_with_words(project: Any) -> None:
    refused = rtcc(project, "up", "--demo")
    assert refused.returncode == 2
    assert "of kind operational" in refused.stderr
    assert "./rtcc reset" in refused.stderr


def test_a_killed_process_comes_back(project: Any) -> None:
    first = living(project)["pipeline"]
    os.kill(first, signal.SIGKILL)
    assert project.wait_until(lambda: living(project).get("pipeline", first) != first, 20)


def test_it_starts_again_after_kill_9_of_everything(project: Any) -> None:
    port = project.Project().remembered()["port"]
    pids = living(project)
    for pid in sorted(pids.values(), key=lambda pid: pid != pids["supervisor"]):
        project.send(pid, signal.SIGKILL)
    assert project.wait_until(lambda: not living(project), 10)
    assert start(project) <= 60
    assert launcher_names(project) == PROCESSES
    assert project.Project().remembered()["port"] == port


def test_it_takes_over_when_only_the_supervisor_was_killed(project: Any) -> None:
    before = living(project)
    os.kill(before["supervisor"], signal.SIGKILL)
    assert project.wait_until(lambda: "supervisor" not in living(project), 10)
    left = rtcc(project, "status")
    assert left.returncode == 3
    assert "left over" in left.stdout
    start(project)
    assert launcher_names(project) == PROCESSES
    assert not set(living(project).values()) & set(before.values())


def test_only_one_supervisor_runs(project: Any) -> None:
    second = rtcc(project, "_serve", DETACHED)
    assert second.returncode == 2
    assert "another ./rtcc up" in second.stderr


def test_commands_run_in_its_environment(project: Any) -> None:
    code = "from django.conf import settings; print(settings.DATABASES['default']['HOST'])"
    shown = rtcc(project, "run", "shell", "-c", code)
    assert str(project.Project().servers.sockets) in shown.stdout, shown.stderr
    assert rtcc(project, "psql", "-Atc", "SELECT kind FROM accounts_instance").stdout == "operational\n"


def test_logs_show_a_process_and_name_the_others(project: Any) -> None:
    assert "web | " in rtcc(project, "logs", "web").stdout
    unknown = rtcc(project, "logs", "nosuch")
    assert unknown.returncode == 2
    assert "pipeline" in unknown.stderr


def test_the_doctor_tells_what_matters(project: Any) -> None:
    told = rtcc(project, "doctor").stdout
    for title in (
        "machine",
        "disk",
        "port",
        "healthz",
        "redis",
        "kind",
        "clock",
        "oldest snapshot",
        "dead rows",
        "queue",
        "partitions",
        "web",
    ):
        assert f"  {title} " in told, told
    assert "operational" in told
    assert "NOT READABLE" not in told


def test_a_reset_that_nobody_confirms_deletes_nothing(project: Any) -> None:
    kept = subprocess.run([project.PYTHON, project.ROOT / "rtcc", "reset"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert kept.returncode == 1
    assert project.Project().exists


def test_down_leaves_nothing_running(project: Any) -> None:
    pids = living(project)
    sessions = list(pids.values())
    assert rtcc(project, "down").returncode == 0
    assert living(project) == {}
    assert [pid for session in sessions for pid in project.members_of_session(session)] == []
    assert project.postgres_of(project.Project().servers.cluster) == []
    assert rtcc(project, "status").returncode == 3
    assert "not running" in rtcc(project, "down").stdout


def test_reset_deletes_the_data_and_the_next_question_says_so(project: Any) -> None:
    data = project.Project().servers.data
    assert rtcc(project, "reset", "--yes").returncode == 0
    assert not data.exists()
    assert "start one with ./rtcc up" in rtcc(project, "status").stderr
