"""systemd units and containers start single processes; the launcher keeps out of their way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NOBODY = 65534


def test_the_units_run_every_process_of_this_installation(launcher: Any) -> None:
    found = launcher.unit_files(of_user=False)
    servers = {f"rtcc-geo-{name}.service" for name in ("postgres", "redis", "migrate", "receiver")}
    assert set(found) == {"rtcc-geo.target", "rtcc-geo@.service"} | servers
    assert all(f"rtcc-geo@{name}.service" in found["rtcc-geo.target"] for name in launcher.OPERATIONAL_PROCESSES)
    assert not any("@ROOT@" in text or "system only" in text or "@DATA@" in text for text in found.values())
    assert f"ExecStart={launcher.ROOT}/rtcc process %i" in found["rtcc-geo@.service"]


def test_units_of_a_user_leave_out_what_only_root_may_ask_for(launcher: Any) -> None:
    found = launcher.unit_files(of_user=True)
    assert not any("User=" in text or "CapabilityBoundingSet" in text for text in found.values())
    assert "WantedBy=default.target" in found["rtcc-geo.target"]


def test_the_receiver_ends_after_postgresql_and_no_unit_ends_a_migration(launcher: Any) -> None:
    found = launcher.unit_files(of_user=False)
    assert "Before=rtcc-geo-postgres.service" in found["rtcc-geo-receiver.service"]
    assert "rtcc-geo-receiver.service" in found["rtcc-geo.target"]
    assert "TimeoutStartSec=infinity" in found["rtcc-geo-migrate.service"]


def test_commands_beside_the_units_see_what_the_units_see(launcher: Any, servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.make_folders()
    text = "# of this server\nRTCC_AUDIT_HEADS=/mnt/worm\nRTCC_ORIGIN='https://map.city.example'\nRTCC_LISTEN=127.0.0.1:1\n"
    (servers.data / "environment").write_text(text)
    monkeypatch.setattr(launcher, "project_folder", lambda: servers.data)
    monkeypatch.setattr(os, "environ", {**os.environ, "RTCC_LISTEN": "127.0.0.1:9"})
    for name in ("RTCC_AUDIT_HEADS", "RTCC_ORIGIN", "RTCC_UNIT"):
        os.environ.pop(name, None)
    launcher.read_unit_environment()
    environment = launcher.Project().instance().environment()
    assert (environment["RTCC_AUDIT_HEADS"], environment["RTCC_ORIGIN"]) == ("/mnt/worm", "https://map.city.example")
    assert environment["RTCC_LISTEN"] == "127.0.0.1:9"


@pytest.mark.parametrize("of_user", [False, True])
def test_systemd_finds_no_fault_in_them(launcher: Any, short_folder: Path, of_user: bool) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here")
    for name, text in launcher.unit_files(of_user=of_user).items():
        (short_folder / name).write_text(text)
    words = ["systemd-analyze", *(["--user"] if of_user else []), "verify", "--man=no", *sorted(map(str, short_folder.iterdir()))]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(short_folder), "XDG_RUNTIME_DIR": str(short_folder)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="tells root what root may not do")
def test_they_are_never_made_for_root(launcher: Any) -> None:
    done = subprocess.run([sys.executable, launcher.ROOT / "rtcc", "units"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "no process of an instance runs as root" in done.stderr


def test_a_process_that_there_is_not_is_named(launcher: Any, servers: Any) -> None:
    project = launcher.Project()
    project.servers = servers
    with pytest.raises(launcher.LauncherError, match="there is no process wbe; there are postgres, redis, migrate, web"):
        launcher.unit_program(project, "wbe")


def test_the_environment_says_where_web_listens_and_whom_it_believes(launcher: Any, servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"RTCC_UNIT": "1", "RTCC_LISTEN": "0.0.0.0:9999", "RTCC_PROXIES": "10.1.2.3", "RTCC_ORIGIN": "https://map.city.example"}
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    project = launcher.Project()
    project.servers = servers
    web = launcher.unit_program(project, "web")
    options = dict(zip(web.argv, web.argv[1:], strict=False))
    assert (options["--host"], options["--port"], options["--forwarded-allow-ips"]) == ("0.0.0.0", "9999", "10.1.2.3")
    assert web.env["RTCC_ORIGIN"] == "https://map.city.example"
    assert web.env["RTCC_PROCESS"] == "web"


def test_another_installations_database_is_asked_for_nothing_that_takes_a_superuser(
    launcher: Any, servers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RTCC_UNIT", "1")
    monkeypatch.delenv("RTCC_PGHOST", raising=False)
    project = launcher.Project()
    project.servers = servers
    assert "log_min_messages" in launcher.unit_program(project, "web").env["PGOPTIONS"]
    monkeypatch.setenv("RTCC_PGHOST", "/run/postgresql")
    monkeypatch.setenv("PGOPTIONS", "")
    assert launcher.unit_program(project, "web").env["PGOPTIONS"] == ""


def test_an_address_without_a_port_is_refused(launcher: Any, servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTCC_LISTEN", "0.0.0.0")
    project = launcher.Project()
    project.servers = servers
    with pytest.raises(launcher.LauncherError, match=r'RTCC_LISTEN is "0\.0\.0\.0"'):
        launcher.unit_program(project, "web")


def test_a_secret_in_a_file_stands_for_the_instances_own(launcher: Any, servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTCC_UNIT", "1")
    monkeypatch.delenv("RTCC_SECRET_KEY", raising=False)
    monkeypatch.setenv("RTCC_SECRET_KEY_FILE", "/run/secrets/key")
    project = launcher.Project()
    project.servers = servers
    program = launcher.unit_program(project, "pipeline")
    assert program.env["RTCC_SECRET_KEY"] == ""
    assert program.env["RTCC_SECRET_KEY_FILE"] == "/run/secrets/key"


def test_units_and_the_launcher_keep_each_other_out(launcher: Any, short_folder: Path) -> None:
    assert not launcher.is_shared(short_folder)
    script = "import sys; sys.path[:0] = []\nfrom importlib.machinery import SourceFileLoader as L\nfrom pathlib import Path\n"
    script += f"m = L('rtcc_launcher', {str(launcher.ROOT / 'rtcc')!r}).load_module()\nm.share_folder(Path(sys.argv[1]))\n"
    script += "import os; os.execvp('cat', ['cat'])"
    unit = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script, str(short_folder)], stdin=subprocess.PIPE)
    try:
        assert launcher.wait_until(lambda: launcher.is_shared(short_folder), 10)
        with pytest.raises(launcher.LauncherError, match="units"), launcher.folder_lock(short_folder, "its units run"):
            pass
    finally:
        unit.communicate()
    assert not launcher.is_shared(short_folder)
    with launcher.folder_lock(short_folder, "busy"), pytest.raises(launcher.LauncherError, match=r"\./rtcc down first"):
        launcher.share_folder(short_folder)


def test_a_unit_becomes_the_server_itself(launcher: Any, short_folder: Path) -> None:
    """No launcher stays between the server and who supervises it: signals and exit codes are the server's own."""
    shutil.copytree(launcher.ROOT / "rtcc_geo", short_folder / "rtcc_geo", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(launcher.ROOT / "rtcc", short_folder / "rtcc")
    servers = launcher.Servers(short_folder / ".rtcc")
    unit = subprocess.Popen([sys.executable, short_folder / "rtcc", "process", "redis"], stdout=subprocess.DEVNULL)
    try:
        assert launcher.wait_until(lambda: servers.sockets_if_any is not None and servers.redis_answers(), 15)
        assert b"redis-server" in Path(f"/proc/{unit.pid}/cmdline").read_bytes()
        assert launcher.is_shared(servers.data)
        unit.terminate()
        assert unit.wait(10) == 0
        assert not launcher.is_shared(servers.data)
    finally:
        unit.kill()
        unit.wait()
        servers.remove()
