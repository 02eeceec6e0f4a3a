"""Debian packages: one list, quiet servers, and never more than we may."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FakeCommand = Callable[[str, str], None]


@pytest.fixture
def fake_command(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCommand:
    """Put a shell script of a name before everything else on the path."""
    folder = short_folder / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin")

    def make(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return make


@pytest.fixture
def apt_machine(launcher: Any, short_folder: Path, fake_command: FakeCommand, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without our packages whose apt-get writes down what lay where while it ran."""
    monkeypatch.setattr(launcher, "CREATECLUSTER", short_folder / "createcluster.d" / "rtcc-geo.conf")
    monkeypatch.setattr(launcher, "POLICY", short_folder / "policy-rc.d")
    monkeypatch.setattr(launcher, "distribution", lambda: "debian-12")
    monkeypatch.setattr(launcher, "root_prefix", lambda: [])
    monkeypatch.setattr(launcher, "require_space", lambda *_: None)
    fake_command("dpkg-query", "echo 'python3-venv ii '; exit 1")
    fake_command("systemctl", f'echo "$@" >> {short_folder}/systemctl')
    fake_command("update-rc.d", f'echo "$@" >> {short_folder}/update-rc.d')
    seen = f"cat {short_folder}/createcluster.d/rtcc-geo.conf; {short_folder}/policy-rc.d redis-server start; echo redis=$?; "
    seen += f"{short_folder}/policy-rc.d ssh restart; echo ssh=$?; echo $DEBIAN_FRONTEND"
    fake_command("apt-get", f'{{ echo "apt-get $*"; {seen}; }} >> {short_folder}/apt')
    return short_folder


@pytest.mark.parametrize(("system", "postgres"), [("debian-12", "postgresql-15"), ("ubuntu-24.04", "postgresql-16")])
def test_there_is_one_list_with_names_for_each_system(launcher: Any, system: str, postgres: str) -> None:
    sections = launcher.package_sections(launcher.PACKAGE_LIST.read_text())
    assert {postgres, f"{postgres}-postgis-3", "redis-server", "python3-venv", "fonts-dejavu-core"} <= set(sections[f"run {system}"])
    assert "chromium" not in sections[f"run {system}"]
    assert f"test {system}" in sections


def test_only_tests_ask_for_a_browser(launcher: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "distribution", lambda: "debian-12")
    assert "chromium" not in launcher.wanted_packages(("run",))
    assert "chromium" in launcher.wanted_packages(("run", "test"))


def test_it_reads_which_system_this_is(launcher: Any, short_folder: Path) -> None:
    (short_folder / "os-release").write_text('NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="24.04"\n')
    assert launcher.distribution(short_folder / "os-release") == "ubuntu-24.04"


@pytest.mark.parametrize(("system", "machine"), [("fedora-42", "x86_64"), ("debian-11", "x86_64"), ("debian-12", "riscv64")])
def test_elsewhere_it_prints_the_compose_command_and_stops(
    launcher: Any, system: str, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "distribution", lambda: system)
    monkeypatch.setattr(launcher.platform, "machine", lambda: machine)
    with pytest.raises(launcher.LauncherError, match=r"docker compose -f docker/launcher\.compose\.yaml up"):
        launcher.wanted_packages(("run",))
    assert (launcher.ROOT / "docker" / "launcher.compose.yaml").exists()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_both_kinds_of_processor_are_served(launcher: Any, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "distribution", lambda: "debian-12")
    monkeypatch.setattr(launcher.platform, "machine", lambda: machine)
    assert "postgresql-15-postgis-3" in launcher.wanted_packages(("run",))


def test_while_apt_runs_no_cluster_is_made_and_no_redis_starts(launcher: Any, apt_machine: Path, report: Any) -> None:
    launcher.install_packages(report, apt_machine / "logs", ("run",))
    runs = (apt_machine / "apt").read_text().split("apt-get ")[1:]
    assert [run.split("-q ")[1].split()[0] for run in runs] == ["update", "install", "install"]
    for run in runs:
        assert "create_main_cluster = false" in run
        assert "redis=101" in run
        assert "ssh=0" in run
        assert "noninteractive" in run
    assert "python3-venv" not in runs[1]
    assert "postgresql-15-postgis-3" in runs[1]


def test_afterwards_the_machine_is_as_before_and_redis_does_not_start_at_boot(launcher: Any, apt_machine: Path, report: Any) -> None:
    launcher.install_packages(report, apt_machine / "logs", ("run",))
    assert not launcher.CREATECLUSTER.exists()
    assert not launcher.POLICY.exists()
    assert (apt_machine / "systemctl").read_text() == "disable redis-server\n"
    assert (apt_machine / "update-rc.d").read_text() == "redis-server disable\n"


def test_apts_progress_comes_through_sudo_and_its_scripts_keep_their_output(
    launcher: Any, apt_machine: Path, report: Any, fake_command: FakeCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_command("sudo", 'exec 3>&- 4>&-; shift; exec "$@"')
    fake_command("apt-get", 'echo "pmstatus:redis-server:55.5:Configuring" >&3; echo said')
    monkeypatch.setattr(launcher, "root_prefix", lambda: ["sudo", "-n"])
    launcher.install_packages(report, apt_machine / "logs", ("run",))
    assert (apt_machine / "logs" / "apt-install.log").read_text() == "said\n"
    assert launcher.apt_progress(apt_machine / "logs" / "apt-install.status") == (pytest.approx(0.555), "redis-server")


def test_a_policy_of_the_machines_own_is_left_alone(launcher: Any, apt_machine: Path, report: Any) -> None:
    launcher.POLICY.write_text("#!/bin/sh\nexit 101\n")
    launcher.POLICY.chmod(0o755)
    launcher.install_packages(report, apt_machine / "logs", ("run",))
    assert launcher.POLICY.read_text() == "#!/bin/sh\nexit 101\n"


def test_a_policy_that_a_killed_run_left_is_removed(launcher: Any, apt_machine: Path, report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher.POLICY.write_text(launcher.POLICY_TEXT)
    monkeypatch.setattr(launcher, "missing_packages", lambda names: [])
    launcher.install_packages(report, apt_machine / "logs", ("run",))
    assert not launcher.POLICY.exists()


def test_a_failing_apt_restores_the_machine_too_and_shows_its_words(
    launcher: Any, apt_machine: Path, report: Any, fake_command: FakeCommand
) -> None:
    fake_command("apt-get", "echo 'E: Unable to locate package'; exit 100")
    with pytest.raises(launcher.CommandFailed, match="Unable to locate package"):
        launcher.install_packages(report, apt_machine / "logs", ("run",))
    assert not launcher.CREATECLUSTER.exists()
    assert not launcher.POLICY.exists()


def test_without_rights_it_prints_the_exact_command_and_stops(
    launcher: Any, apt_machine: Path, report: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "root_prefix", lambda: None)
    with pytest.raises(launcher.LauncherError) as stopped:
        launcher.install_packages(report, apt_machine / "logs", ("run",))
    command = str(stopped.value).splitlines()[-1].strip()
    assert command.endswith("fonts-dejavu-core postgresql-15 postgresql-15-postgis-3 redis-server")
    assert "create_main_cluster = false" in command
    assert "redis-server.service" in command
    assert subprocess.run(["sh", "-n", "-c", command]).returncode == 0
    assert not (apt_machine / "apt").exists()


def test_sudo_that_asks_for_a_password_is_no_right(launcher: Any, fake_command: FakeCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "is_root", lambda: False)
    fake_command("sudo", 'echo "a password is required" >&2; exit 1')
    assert launcher.root_prefix() is None
    fake_command("sudo", "exit 0")
    assert launcher.root_prefix() == ["sudo", "-n"]


def test_nothing_is_asked_of_apt_when_nothing_is_missing(launcher: Any, apt_machine: Path, report: Any, fake_command: FakeCommand) -> None:
    names = launcher.wanted_packages(("run",))
    fake_command("dpkg-query", "; ".join(f"echo '{name} ii '" for name in names))
    launcher.install_packages(report, apt_machine / "logs", ("run",))
    assert not (apt_machine / "apt").exists()
    assert "nothing missing" in report.out.getvalue()


def test_a_package_that_was_removed_counts_as_missing(launcher: Any, fake_command: FakeCommand) -> None:
    fake_command("dpkg-query", "echo 'redis-server rc '; echo 'postgresql-15 ii '")
    assert launcher.missing_packages(["redis-server", "postgresql-15"]) == ["redis-server"]
