"""Private PostgreSQL and Redis: real servers, on unix sockets, that come back after anything."""

import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FAST = {"fsync": "off", "shared_buffers": "16MB"}


def owner(pid: int) -> str:
    return pwd.getpwuid(Path(f"/proc/{pid}").stat().st_uid).pw_name


def listening_inodes() -> set[str]:
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return {fields[9] for fields in lines if fields[3] == "0A"}


def sockets_of(pid: int) -> set[str]:
    links = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    return {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:[")}


def test_they_run_from_a_closed_folder_with_an_odd_name_as_their_own_user(servers: Any) -> None:
    pids = servers.start_postgres(FAST), servers.start_redis()
    expected = "rtcc-geo" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    assert [owner(pid) for pid in pids] == [expected, expected]
    assert servers.query("SELECT postgis_lib_version() > '3'") == "t"
    assert (servers.postgres_pid, servers.redis_pid) == pids


def test_the_cluster_is_utf8_with_a_locale_that_every_machine_has(servers: Any) -> None:
    servers.start_postgres(FAST)
    row = servers.query("SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = 'rtcc'")
    assert row == "UTF8|C.UTF-8|C.UTF-8"


def test_nothing_listens_on_tcp(servers: Any) -> None:
    pids = servers.start_postgres(FAST), servers.start_redis()
    assert servers.query("SELECT current_setting('listen_addresses')") == ""
    for pid in pids:
        assert sockets_of(pid)
        assert not sockets_of(pid) & listening_inodes()


def test_durability_is_on_unless_a_test_turns_it_off(launcher: Any) -> None:
    settings = launcher.postgres_settings()
    assert (settings["fsync"], settings["synchronous_commit"], settings["listen_addresses"]) == ("on", "on", "")


def test_committed_rows_survive_kill_9_of_both_servers(servers: Any) -> None:
    servers.start_postgres({"shared_buffers": "16MB"})
    servers.start_redis()
    servers.query("CREATE TABLE kept AS SELECT 7 AS number")
    os.kill(servers.postgres_pid, signal.SIGKILL)
    os.kill(servers.redis_pid, signal.SIGKILL)
    servers.start_postgres({"shared_buffers": "16MB"})
    servers.start_redis()
    assert servers.query("SELECT number FROM kept") == "7"
    assert servers.redis_answers()


def test_a_new_launcher_takes_over_from_one_that_was_killed(launcher: Any, servers: Any) -> None:
    first = servers.start_postgres(FAST), servers.start_redis()
    later = launcher.Servers(servers.folder)
    assert (later.postgres_pid, later.redis_pid) == first
    second = later.start_postgres(FAST), later.start_redis()
    assert not set(first) & set(second)
    assert later.query("SELECT 1") == "1"
    later.stop()
    assert (later.postgres_pid, later.redis_pid) == (None, None)


def test_a_frozen_server_does_not_stop_the_next_start(servers: Any) -> None:
    frozen = servers.start_postgres(FAST), servers.start_redis()
    assert frozen[0] in servers.postgres_processes
    for pid in (*servers.postgres_processes, frozen[1]):
        os.kill(pid, signal.SIGSTOP)
    assert servers.start_postgres(FAST) != frozen[0]
    assert servers.start_redis() != frozen[1]
    assert servers.query("SELECT 1") == "1"


def test_a_stale_lock_with_the_number_of_a_living_stranger_is_no_obstacle(servers: Any) -> None:
    servers.start_postgres(FAST)
    servers.stop()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        account = servers.cluster.stat()
        for path in (servers.cluster / "postmaster.pid", servers.sockets / ".s.PGSQL.5432.lock"):
            path.write_text(f"{stranger.pid}\n{servers.cluster}\n1\n5432\n{servers.sockets}\n\n1 1\nready   \n")
            os.chown(path, account.st_uid, account.st_gid)
        (servers.sockets / "redis.sock").write_text("left over")
        servers.start_postgres(FAST)
        servers.start_redis()
        assert servers.query("SELECT 1") == "1"
        assert stranger.poll() is None
        stranger.kill()


def test_a_half_made_cluster_is_made_again(servers: Any) -> None:
    servers.make_folders()
    half = servers.data / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("15")
    servers.start_postgres(FAST)
    assert servers.query("SELECT 1") == "1"
    assert not half.exists()


def test_a_second_start_leaves_the_cluster_as_it_is(servers: Any) -> None:
    servers.start_postgres(FAST)
    identity = servers.query("SELECT system_identifier FROM pg_control_system()")
    servers.stop()
    servers.start_postgres(FAST)
    assert servers.query("SELECT system_identifier FROM pg_control_system()") == identity


def test_every_later_command_finds_the_sockets_whatever_its_temporary_folder(
    launcher: Any, servers: Any, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.start_redis()
    monkeypatch.setattr(launcher.tempfile, "gettempdir", lambda: str(short_folder))
    assert launcher.Servers(servers.folder).sockets == servers.sockets


def test_the_environment_names_everything_that_a_process_needs(servers: Any) -> None:
    servers.start_postgres(FAST)
    environment = servers.environment()
    assert {"RTCC_PGHOST", "RTCC_PGPORT", "RTCC_PGUSER", "RTCC_PGDATABASE", "RTCC_REDIS_URL"} <= set(environment)
    assert {"RTCC_SECRET_KEY", "RTCC_ORIGIN", "RTCC_STATE"} <= set(environment)
    assert Path(environment["RTCC_PGHOST"], ".s.PGSQL.5432").is_socket()
    assert environment["RTCC_SECRET_KEY"] == servers.environment()["RTCC_SECRET_KEY"]


def test_removing_leaves_nothing(launcher: Any, short_folder: Path) -> None:
    pair = launcher.Servers(short_folder / "gone")
    pair.start_redis()
    sockets = pair.sockets
    pair.stop()
    pair.remove()
    assert not sockets.exists()
    assert not pair.data.exists()


def test_servers_end_when_the_one_that_started_them_is_killed(launcher: Any, servers: Any) -> None:
    script = "import sys, signal; from pathlib import Path; from tests.launcher.conftest import load; "
    script += "pair = load(Path(sys.argv[1]) / 'rtcc').Servers(Path(sys.argv[2])); "
    script += "pair.start_postgres({'fsync': 'off'}); pair.start_redis(); "
    script += "instance = sys.modules['rtcc_launcher'].Instance(pair, port=1); "
    script += "instance.supervisor.start(instance.program('sleeper', ['sleep', '60'])); print('ready', flush=True); signal.pause()"
    argv = [sys.executable, "-c", script, str(launcher.ROOT), str(servers.folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=launcher.ROOT) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        assert servers.postgres_pid is not None
        assert servers.redis_pid is not None
        assert servers.register.pid("sleeper") is not None
        owner.kill()
    names = ("redis", "sleeper")
    assert launcher.wait_until(lambda: servers.postgres_pid is None and not any(servers.register.pid(name) for name in names), 20)
