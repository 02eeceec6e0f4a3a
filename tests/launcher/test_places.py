"""Where things lie: data, sockets, secrets, ports, disk."""

import os
import resource
import socket
import stat
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

Usage = namedtuple("Usage", "total used free")


def test_roots_data_lies_where_the_servers_own_user_can_enter(launcher: Any, short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "is_root", lambda: True)
    assert launcher.data_folder(short_folder).parent == Path("/var/lib/rtcc-geo")
    assert launcher.data_folder(short_folder) != launcher.data_folder(short_folder / "other")


def test_it_keeps_an_ordinary_users_data_in_the_folder_itself(launcher: Any, short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "is_root", lambda: False)
    assert launcher.data_folder(short_folder) == short_folder


@pytest.mark.parametrize("name", ["x" * 100, "a,b", "a b", 'a"b', "a?b"])
def test_it_refuses_a_folder_where_sockets_would_not_work(launcher: Any, name: str) -> None:
    assert not launcher.fits_sockets(Path("/tmp") / name)


def test_it_takes_socket_paths_of_up_to_107_bytes(launcher: Any) -> None:
    longest = 107 - len("//.s.PGSQL.5432")
    assert launcher.fits_sockets(Path("/" + "x" * longest))
    assert not launcher.fits_sockets(Path("/" + "x" * (longest + 1)))
    assert not launcher.fits_sockets(Path("/" + "é" * (longest // 2 + 1)))


def test_it_goes_elsewhere_when_the_temporary_folder_has_a_long_name_or_a_comma(
    launcher: Any, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("y" * 90, "with,comma"):
        base = short_folder / name
        base.mkdir()
        monkeypatch.setattr(launcher, "socket_bases", lambda base=base, **_: [base, Path("/tmp")])
        chosen = launcher.socket_folder(short_folder, os.geteuid())
        assert chosen.parent == Path("/tmp")
        chosen.rmdir()


def test_it_makes_the_socket_folder_for_its_owner_alone(launcher: Any, short_folder: Path) -> None:
    chosen = launcher.socket_folder(short_folder, os.geteuid(), survives_logout=True)
    assert stat.S_IMODE(chosen.stat().st_mode) == 0o700
    assert chosen == launcher.socket_folder(short_folder, os.geteuid(), survives_logout=True)
    chosen.rmdir()


def test_it_does_not_move_into_a_socket_folder_that_someone_else_made(launcher: Any, short_folder: Path) -> None:
    taken = short_folder / "taken"
    taken.symlink_to("/tmp")
    assert launcher.own_folder(taken, os.geteuid()) is False
    assert launcher.own_folder(Path("/tmp"), os.geteuid() + 1) is False


def test_it_uses_the_users_runtime_folder_unless_that_ends_with_the_login(launcher: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "is_root", lambda: False)
    runtime = Path(f"/run/user/{os.getuid()}")
    assert launcher.socket_bases(survives_logout=False)[0] == runtime
    if not Path("/var/lib/systemd/linger").exists():
        assert runtime not in launcher.socket_bases(survives_logout=True)
    monkeypatch.setattr(launcher, "is_root", lambda: True)
    assert runtime not in launcher.socket_bases(survives_logout=False)


def test_it_makes_a_secret_once_and_for_its_owner_alone(launcher: Any, short_folder: Path) -> None:
    first = launcher.secret(short_folder, "secret_key")
    assert len(first) >= 50
    assert launcher.secret(short_folder, "secret_key") == first
    assert launcher.secret(short_folder, "other") != first
    assert stat.S_IMODE((short_folder / "secrets.json").stat().st_mode) == 0o600


def test_it_stops_before_a_long_step_on_a_full_disk(launcher: Any, short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher.shutil, "disk_usage", lambda path: Usage(10**12, 10**12, 900_000_000))
    launcher.require_space(short_folder / "not" / "yet" / "there", 800, "the database")
    with pytest.raises(launcher.LauncherError, match=r"the database needs 1000 MB .* 900 MB are free"):
        launcher.require_space(short_folder / "not" / "yet" / "there", 1000, "the database")


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_INET, "0.0.0.0")])
def test_it_takes_the_next_port_when_one_is_in_use(launcher: Any, family: int, address: str) -> None:
    first = launcher.free_port(18080)
    with socket.socket(family) as other:
        try:
            other.bind((address, first))
        except OSError:
            pytest.skip(f"no {address} on this machine")
        other.listen()
        assert not launcher.port_is_free(first)
        assert launcher.free_port(first) > first


def test_it_keeps_last_times_port_when_that_is_free(launcher: Any, servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.make_folders()
    project = launcher.Project()
    project.servers, project.memory = servers, servers.data / "instance.json"
    port = launcher.free_port(18100)
    project.remember(port=port)
    assert launcher.choose_port(project, None) == port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert launcher.choose_port(project, None) != port
        with pytest.raises(launcher.LauncherError, match=f"port {port} is in use"):
            launcher.choose_port(project, port)


def test_it_refuses_the_other_kind_and_says_what_to_do(launcher: Any, servers: Any) -> None:
    servers.make_folders()
    project = launcher.Project()
    project.servers, project.memory = servers, servers.data / "instance.json"
    assert launcher.wanted_kind(project, None) == "demo"
    assert launcher.wanted_kind(project, "operational") == "operational"
    project.remember(kind="demo")
    with pytest.raises(launcher.LauncherError, match=r"of kind demo.*\./rtcc reset.*\./rtcc up --operational"):
        launcher.wanted_kind(project, "operational")
    project.remember(kind="operational")
    assert launcher.wanted_kind(project, None) == "operational"


def test_it_raises_the_soft_limit_of_open_files(launcher: Any) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        now = launcher.raise_file_limit(2000)
        assert now == (2000 if before[1] == resource.RLIM_INFINITY else min(2000, before[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_only_one_launcher_holds_a_folder(launcher: Any, short_folder: Path) -> None:
    def hold() -> str:
        with launcher.folder_lock(short_folder, "busy"):
            return "held"

    with launcher.folder_lock(short_folder, "busy"), pytest.raises(launcher.LauncherError, match="busy"):
        hold()
    assert hold() == "held"
