"""The venv: from the lock file and its hashes, on an interpreter that everybody may read."""

import os
import re
from pathlib import Path
from typing import Any

import pytest


def test_it_prefers_the_systems_python(launcher: Any) -> None:
    assert launcher.base_python() == Path("/usr/bin/python3").resolve()


def test_it_refuses_an_interpreter_in_another_users_home(launcher: Any, short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter = short_folder / "home" / "bob" / "bin" / "python3"
    interpreter.parent.mkdir(parents=True)
    interpreter.symlink_to("/usr/bin/python3")
    assert launcher.in_closed_home(interpreter) is False
    real = interpreter.parent / "real"
    real.write_bytes(b"")
    real.chmod(0o755)
    assert launcher.in_closed_home(real) is False
    monkeypatch.setattr(launcher.os, "geteuid", lambda: os.getuid() + 4321)
    assert launcher.in_closed_home(real) is True
    assert launcher.usable_python(real) is False


def test_it_finds_no_use_for_an_old_or_broken_python(launcher: Any, short_folder: Path) -> None:
    old = short_folder / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    assert launcher.usable_python(old) is False
    assert launcher.usable_python(short_folder / "absent") is False


def test_every_package_of_the_lock_comes_with_hashes_and_no_host(launcher: Any) -> None:
    text = launcher.LOCK_FILE.read_text()
    assert "--hash=sha256:" in launcher.locked_block("uv")
    assert launcher.locked_block("uv").startswith("uv==")
    assert len(re.findall(r"^\S+==", launcher.locked_block("uv"), re.MULTILINE)) == 1
    for name in re.findall(r"^([\w.\[\]-]+)==", text, re.MULTILINE):
        assert "--hash=sha256:" in launcher.locked_block(re.escape(name))
    assert "://" not in text


def test_an_unlisted_package_is_an_error(launcher: Any) -> None:
    with pytest.raises(launcher.LauncherError, match="nosuch is not in"):
        launcher.locked_block("nosuch")


def test_uv_gets_the_index_that_this_machine_gave_to_pip(launcher: Any) -> None:
    config = (
        "global.index-url='https://mirror.test/simple'\n:env:.cert='/etc/ca.crt'\nglobal.timeout='60'\ninstall.find-links='/opt/wheels'"
    )
    passed_on = launcher.uv_environment(config, {"HOME": "/home/ann"})
    assert passed_on["UV_DEFAULT_INDEX"] == "https://mirror.test/simple"
    assert passed_on["SSL_CERT_FILE"] == "/etc/ca.crt"
    assert passed_on["UV_FIND_LINKS"] == "/opt/wheels"
    assert set(passed_on) == {"UV_DEFAULT_INDEX", "SSL_CERT_FILE", "UV_FIND_LINKS", "HOME"}
    assert launcher.uv_environment(config, {"UV_DEFAULT_INDEX": "mine"})["UV_DEFAULT_INDEX"] == "mine"


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_USER", "UV_PYTHON", "VIRTUAL_ENV", "NODE_OPTIONS"])
def test_what_leads_elsewhere_is_left_out_of_the_environment(launcher: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "/elsewhere")
    environment = launcher.clean_environment()
    assert name not in environment
    assert environment["PATH"].startswith(f"{launcher.VENV}/bin:")


def test_downloads_are_told_apart_from_own_work(launcher: Any, report: Any) -> None:
    output = "Resolved 90 packages in 12ms\nPrepared 90 packages in 1m 02s\nInstalled 90 packages in 1.5s\n + uv==1\n"
    assert launcher.uv_seconds(output, ("Resolved", "Prepared")) == pytest.approx(62.012)
    with report.step("packages") as step:
        step.download_s, step.download_bytes = 30.0, 347_000_000
    report.began -= 40
    assert re.fullmatch(r"own work 10\.\d s; downloads 347\.0 MB in 30\.0 s \(received by this machine's network\)", report.sums())


def test_a_step_is_one_line_with_its_seconds_also_when_it_fails(launcher: Any, report: Any) -> None:
    with report.step("Web client") as step:
        step.note = "built"
    with pytest.raises(launcher.LauncherError), report.step("Database"):
        raise launcher.LauncherError("no room")
    lines = [re.sub(r" +\d+\.\d s", " N s", line) for line in report.out.getvalue().splitlines()]
    assert lines == ["  Web client N s  built", "  Database N s  FAILED"]


def test_a_terminal_gets_a_bar_and_a_file_does_not(launcher: Any, report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    step = launcher.Step("Debian packages", report.out)
    step.show(0.5, "redis-server")
    assert report.out.getvalue() == ""
    monkeypatch.setattr(report.out, "isatty", lambda: True, raising=False)
    step.show(0.5, "redis-server")
    assert "[==========          ]" in report.out.getvalue()
    assert "redis-server" in report.out.getvalue()


def test_the_venv_is_left_alone_while_nothing_has_changed(
    launcher: Any, report: Any, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv, lock = short_folder / ".venv", short_folder / "requirements.txt"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to("/usr/bin/python3")
    lock.write_text("uv==1\n")
    calls: list[str] = []
    for name, value in {"VENV": venv, "PYTHON": venv / "bin" / "python", "LOCK_FILE": lock}.items():
        monkeypatch.setattr(launcher, name, value)
    monkeypatch.setattr(launcher, "require_space", lambda *_: None)
    monkeypatch.setattr(launcher, "run_logged", lambda argv, **_: calls.append(str(argv[1])) or "")
    monkeypatch.setattr(launcher, "install_uv", lambda *_: None)
    launcher.make_venv(report, short_folder)
    assert calls == ["-m", "pip"]
    calls.clear()
    launcher.make_venv(report, short_folder)
    assert calls == []
    lock.write_text("uv==2\n")
    launcher.make_venv(report, short_folder)
    assert "pip" in calls
