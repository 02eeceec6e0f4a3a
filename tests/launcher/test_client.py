"""The web client: built by the wheel's Node when its sources changed, whatever npm settings lie around."""

import io
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def client(launcher: Any, short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A small client in a project of its own; the list fills with npm's verbs."""
    static = short_folder / "static"
    (static / "src").mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "src/main.ts"):
        (static / name).write_text("{}")
    ran: list[str] = []

    def npm_runs(argv: list[str], **_: Any) -> str:
        ran.append(argv[-1] if argv[0] == "run" else argv[0])
        target = static / ("dist" if argv[0] == "run" else "node_modules")
        target.mkdir(exist_ok=True)
        (target / "made").write_text("")
        return ""

    monkeypatch.setattr(launcher, "ROOT", short_folder)
    monkeypatch.setattr(launcher, "CLIENT", static)
    monkeypatch.setattr(launcher, "npm", lambda *words: list(words))
    monkeypatch.setattr(launcher, "node_environment", dict)
    monkeypatch.setattr(launcher, "run_logged", npm_runs)
    monkeypatch.setattr(launcher, "require_space", lambda *_: None)
    return ran


def build(launcher: Any, short_folder: Path) -> None:
    launcher.build_client(launcher.Report(io.StringIO()), short_folder)


def test_it_is_built_once(launcher: Any, client: list[str], short_folder: Path) -> None:
    build(launcher, short_folder)
    build(launcher, short_folder)
    assert client == ["ci", "build"]


def test_changed_sources_are_built_again_without_new_packages(launcher: Any, client: list[str], short_folder: Path) -> None:
    build(launcher, short_folder)
    (short_folder / "static" / "src" / "main.ts").write_text("changed")
    build(launcher, short_folder)
    assert client == ["ci", "build", "build"]


def test_a_changed_lock_brings_new_packages(launcher: Any, client: list[str], short_folder: Path) -> None:
    build(launcher, short_folder)
    (short_folder / "static" / "package-lock.json").write_text('{"changed": 1}')
    build(launcher, short_folder)
    assert client == ["ci", "build", "ci", "build"]


def test_a_lost_result_is_built_again(launcher: Any, client: list[str], short_folder: Path) -> None:
    build(launcher, short_folder)
    (short_folder / "static" / "dist" / "made").unlink()
    build(launcher, short_folder)
    assert client == ["ci", "build", "build"]


def test_npm_settings_of_the_machine_do_not_leak_except_where_packages_come_from(launcher: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("npm_config_prefix", "npm_config_globalconfig", "npm_config_production", "NPM_CONFIG_OMIT", "npm_lifecycle_event"):
        monkeypatch.setenv(name, "/usr")
    for name in ("NODE_ENV", "NODE_PATH", "NODE_OPTIONS"):
        monkeypatch.setenv(name, "production")
    monkeypatch.setenv("npm_config_registry", "https://mirror.test/")
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", "/etc/ca.crt")
    environment = launcher.node_environment()
    leaked = {name for name in environment if name.lower().startswith("npm_") or name in ("NODE_ENV", "NODE_PATH", "NODE_OPTIONS")}
    assert leaked == {"npm_config_registry"}
    assert environment["NODE_EXTRA_CA_CERTS"] == "/etc/ca.crt"


def test_node_is_the_one_of_the_venv(launcher: Any) -> None:
    node = Path(launcher.npm("ci")[0])
    assert node.is_relative_to(launcher.VENV)
    assert launcher.node_environment()["PATH"].startswith(f"{node.parent}:")


def test_the_lock_file_names_no_download_host(launcher: Any) -> None:
    assert '"resolved"' not in (launcher.CLIENT / "package-lock.json").read_text()
