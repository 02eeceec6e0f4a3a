"""The images and the compose file: the launcher's own list of packages, nothing published but nginx, nothing that may change itself."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).resolve().parent.parent.parent / "docker"
ORIGIN = {"RTCC_ORIGIN": "https://map.city.example", "PATH": "/usr/local/bin:/usr/bin:/bin"}
SERVERS = {"postgres", "redis", "migrate", "receiver"}
STEPS = re.sub(r"^#.*\n|\\\n", "", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE)


def listed(purpose: str, folder: Path) -> list[str]:
    release = folder / "os-release"
    release.write_text("ID=debian\nVERSION_ID=12\n")
    environment = {"OS_RELEASE": str(release), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", DOCKER / "packages.sh", purpose], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DOCKER / "compose.yaml").read_text()))


@pytest.mark.parametrize("purpose", ["run", "front"])
def test_the_images_install_the_launchers_list(launcher: Any, short_folder: Path, purpose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "distribution", lambda: "debian-12")
    assert listed(purpose, short_folder) == launcher.wanted_packages((purpose,)) != []


def test_the_images_install_nothing_besides() -> None:
    installs = re.findall(r"(\S+ \S+ \| [^&\n]*?)apt-get install ([^&\n]*)", STEPS)
    assert [before.split(" | ")[0] for before, _ in installs] == ["/packages/packages.sh run", "/packages/packages.sh front"]
    assert {words.strip() for _, words in installs} == {"-y -q --no-install-recommends"}
    assert STEPS.count("apt-get install") == len(installs)
    assert not re.search(r"\b(pip|npm|uv|curl|wget) ", STEPS)


def test_only_debians_own_image_is_pulled() -> None:
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", STEPS, re.MULTILINE)
    made = {name for _, name in stages}
    assert {image for image, _ in stages if image not in made} == {"debian:12-slim"}
    images = {one["image"] for one in compose()["services"].values()}
    assert images == {"rtcc-geo-server", "rtcc-geo-front"}
    assert {one["build"]["target"] for one in compose()["services"].values()} <= made


def test_every_process_of_an_operational_instance_has_a_container(launcher: Any) -> None:
    services = compose()["services"]
    own = {name: one["command"] for name, one in services.items() if name != "front"}
    assert all(command == [name] for name, command in own.items())
    assert set(launcher.OPERATIONAL_PROCESSES) | SERVERS <= set(own) <= {*launcher.OPERATIONAL_PROCESSES, *SERVERS, "watch"}


def test_nothing_but_nginx_is_reached_from_outside() -> None:
    services = compose()["services"]
    assert [name for name, one in services.items() if "ports" in one or "expose" in one] == ["front"]
    assert {name for name, one in services.items() if "networks" in one} == {"front", "web", "listen"}
    assert all(one["network_mode"] == "none" for one in services.values() if "networks" not in one)
    assert compose()["networks"]["inner"]["internal"] is True
    believed = services["web"]["environment"]["RTCC_PROXIES"]
    assert believed == services["front"]["networks"]["inner"]["ipv4_address"]


def test_no_container_may_change_itself_or_gain_rights() -> None:
    for name, one in compose()["services"].items():
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert "restart" in one, name
    users = re.findall(r"^USER (\S+)$", STEPS, re.MULTILINE)
    assert users == ["rtcc", "rtcc"]


def test_no_secret_stands_in_the_environment() -> None:
    names = {name for one in compose()["services"].values() for name in one.get("environment", {})}
    assert names == {"RTCC_ORIGIN", "RTCC_KIND", "RTCC_LOG_FORMAT", "RTCC_LISTEN", "RTCC_PROXIES", "RTCC_METRICS_TOKEN_FILE"}


@pytest.mark.parametrize("name", [".dockerignore", ".gitignore"])
def test_what_an_agency_lays_beside_the_files_goes_into_no_image_and_no_history(name: str) -> None:
    """The certificate's key and the settings lie where compose.yaml looks for them, inside of what an image is built from."""
    secret_files = {one["file"] for one in compose()["secrets"].values()}
    assert secret_files == {"${RTCC_TLS_FOLDER:-./tls}/fullchain.pem", "${RTCC_TLS_FOLDER:-./tls}/privkey.pem"}
    ignored = {line.rstrip("/") for line in (DOCKER.parent / name).read_text().splitlines()}
    assert {"docker/tls", "docker/.env"} <= ignored


def compose_program() -> list[str]:
    """docker compose, or its older form of the same format; skips where there is neither."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]) and subprocess.run([*words, "version"], capture_output=True).returncode == 0:
            return words
    pytest.skip("neither docker compose nor docker-compose is installed here")


@pytest.mark.parametrize("name", ["compose.yaml", "launcher.compose.yaml"])
def test_compose_itself_finds_the_file_valid(name: str) -> None:
    done = subprocess.run([*compose_program(), "-f", DOCKER / name, "config"], env=ORIGIN, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(yaml.safe_load(done.stdout)["services"]) == set(yaml.safe_load((DOCKER / name).read_text())["services"])


def test_compose_itself_asks_for_the_address() -> None:
    environment = {**ORIGIN, "RTCC_ORIGIN": ""}
    done = subprocess.run([*compose_program(), "-f", DOCKER / "compose.yaml", "config"], env=environment, capture_output=True, text=True)
    assert done.returncode
    assert "the address that browsers use" in done.stderr


def test_nginx_sets_what_the_server_believes_and_never_adds_to_it() -> None:
    """A location with a header of its own inherits none: each that names one must name all."""
    text = (DOCKER / "nginx.conf").read_text()
    assert "proxy_add_x_forwarded_for" not in text
    assert text.count("proxy_set_header X-Forwarded-For $remote_addr;") == text.count("proxy_set_header Host $http_host;") == 2
    assert "access_log off" in text
    assert json.dumps(re.findall(r"listen (\d+)", text)) == '["8080", "8443"]'
