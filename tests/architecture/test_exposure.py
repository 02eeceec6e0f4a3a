"""What is open that should not be: found, told with what to do, and reason enough for an operational instance not to start."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from apps.accounts.models import Instance
from rtcc_geo import exposed, starting
from rtcc_geo.exposure import Database, Listening, Seen, findings, refusals
from tests.running import ROOT, NotReady, RunningSystem, _administer, migrated_database, orm_on, wait_until

GOOD_SECRET = "kR8v-2fQpL_9sXz1TgYbN4mWcJ6hDe3uA5oViC7rEwSxKtZqPy"


@pytest.fixture
def good(tmp_path: Path) -> Seen:
    tmp_path.chmod(0o700)
    return Seen(
        origin="http://localhost:8080", debug=False, secret=GOOD_SECRET, hosts=("localhost", "127.0.0.1"), secure_cookies=False,
        redis=f"unix://{tmp_path}/redis.sock?db=0", state=tmp_path, host="127.0.0.1", database=Database(kind="operational"),
    )  # fmt: skip


def test_what_is_good_starts(good: Seen) -> None:
    assert findings(good) == []
    https = replace(good, origin="https://rtcc.example", secure_cookies=True, host="0.0.0.0")
    assert findings(replace(https, listening=(Listening("web", "0.0.0.0", 8443),))) == []


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"debug": True}, "debug"), ({"secret": "django-insecure-" + GOOD_SECRET}, "secret key"),
        ({"secret": GOOD_SECRET[:20]}, "secret key"), ({"secret": "ab" * 40}, "secret key"),
        ({"older_secrets": (GOOD_SECRET, "changeme")}, "secret key"),
        ({"origin": "http://rtcc.example"}, "origin"), ({"origin": "http://10.1.2.3:8080"}, "origin"),
        ({"origin": "https://rtcc.example"}, "cookies"), ({"hosts": ("*",)}, "hosts"), ({"hosts": (".example",)}, "hosts"),
        ({"redis": "redis://localhost:6379/0"}, "redis"), ({"redis": "redis://10.0.0.9:6379/0"}, "redis"), ({"host": "0.0.0.0"}, "port"),
        ({"host": "::"}, "port"), ({"listening": (Listening("postgres", "0.0.0.0", 5432),)}, "port"),
        ({"listening": (Listening("redis-server", "10.0.0.1", 6379),)}, "port"),
        ({"database": Database("operational", over_tcp=True, encrypted=True)}, "postgresql"),
        ({"database": Database("operational", trusted=("0.0.0.0/0.0.0.0",))}, "postgresql"),
        ({"database": Database("operational", reader=False)}, "row security"),
        ({"database": Database("operational", plain_passwords=(1,))}, "login"),
    ],
)  # fmt: skip
def test_what_is_bad_is_named_and_keeps_an_operational_instance_from_starting(good: Seen, facts: dict[str, object], told: str) -> None:
    seen = replace(good, **facts)  # type: ignore[arg-type]
    bad = refusals(seen)
    assert told in {finding.check for finding in bad}
    assert all(finding.problem and finding.advice for finding in bad)
    assert refusals(replace(seen, database=replace(seen.database, kind="demo"))) == []


@pytest.mark.parametrize(
    "facts",
    [{"database": Database("operational", leakproof=False)}, {"redis": "redis://:word@10.0.0.9:6379/0"},
     {"database": Database("operational", over_tcp=True, used_password=True)}],
)  # fmt: skip
def test_what_is_only_unwise_is_told_and_starts(good: Seen, facts: dict[str, object]) -> None:
    seen = replace(good, **facts)  # type: ignore[arg-type]
    assert len(findings(seen)) == 1
    assert refusals(seen) == []


def test_a_demonstration_that_others_reach_is_told(good: Seen) -> None:
    seen = replace(good, origin="https://rtcc.example", secure_cookies=True, database=Database("demo"))
    assert [finding.check for finding in findings(seen)] == ["demonstration"]


@pytest.mark.parametrize("name", ["secrets.json", "demo-keys.json", "ca.key", "deeper/server-key.pem"])
def test_a_file_of_secrets_that_others_may_read_is_found(good: Seen, name: str) -> None:
    file = good.state / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("{}")
    file.chmod(0o600)
    assert findings(good) == []
    file.chmod(0o640)
    assert [finding.check for finding in findings(good)] == ["files"]


def test_a_state_folder_and_a_redis_that_others_may_enter_are_found(good: Seen) -> None:
    (good.state / "redis.sock").touch(0o666)
    (good.state / "redis.sock").chmod(0o666)
    good.state.chmod(0o755)
    assert [finding.check for finding in findings(good)] == ["redis", "files"]


def test_it_finds_a_socket_that_a_process_of_the_instance_opened(tmp_path: Path) -> None:
    script = "import socket, sys; s = socket.socket(); s.bind(('0.0.0.0', 0)); s.listen(); print(s.getsockname()[1], flush=True); input()"
    env = {**os.environ, "RTCC_STATE": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", script], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as opener:
        assert opener.stdout is not None
        port = int(opener.stdout.readline())
        try:
            assert [(one.address, one.port) for one in exposed.listening(tmp_path)] == [("0.0.0.0", port)]
            assert exposed.listening(tmp_path / "another") == []
        finally:
            opener.kill()


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_it_reads_the_kernels_table_of_sockets(family: int, address: str) -> None:
    with socket.socket(family) as own:
        own.bind((address, 0))
        own.listen()
        inode = os.readlink(f"/proc/self/fd/{own.fileno()}")
        assert exposed.heard_sockets()[inode] == (address, own.getsockname()[1])


@pytest.mark.parametrize(
    ("words", "environment", "host"),
    [
        ("uvicorn --host 10.1.1.1", "0.0.0.0", "10.1.1.1"),
        ("uvicorn --host=::", "", "::"),
        ("uvicorn", "0.0.0.0", "0.0.0.0"),
        ("uvicorn", "", None),
    ],
)
def test_it_knows_where_uvicorn_will_listen(monkeypatch: pytest.MonkeyPatch, words: str, environment: str, host: str | None) -> None:
    monkeypatch.setenv("UVICORN_HOST", environment)
    assert exposed.own_host(words.split()) == host


async def test_an_instance_that_is_not_set_up_is_judged_as_soon_as_it_is(good: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process that starts before the database is there, or before its first row, sees from look to look."""
    bad = replace(good, origin="http://rtcc.example")
    looks = iter([replace(bad, database=Database()), None, replace(bad, database=Database()), bad])
    ended: list[int] = []

    def look() -> Seen:
        seen = next(looks)
        if seen is None:
            raise exposed.DatabaseAway
        return seen

    monkeypatch.setattr(starting, "look", look)
    monkeypatch.setattr(starting, "AGAIN_S", 0.001)
    monkeypatch.setattr(starting.os, "kill", lambda pid, what: ended.append(what))
    task = await starting.refuse_while_exposed()
    assert task is not None
    await task
    assert (ended, list(looks)) == ([signal.SIGTERM], [])


@pytest.fixture(scope="module")
def operational(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with migrated_database("exposure") as name:
        with django_db_blocker.unblock(), orm_on(name):
            Instance.objects.create(kind="operational")
        yield name


def told_of(system: RunningSystem) -> tuple[int, str]:
    """Return what `./rtcc doctor --exposure` would say of a system: its exit code and its lines."""
    words = [sys.executable, "-m", "rtcc_geo.exposed"]
    done = subprocess.run(words, env=system.env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_web_process_of_an_operational_instance_refuses_and_says_why(operational: str) -> None:
    extra = {"RTCC_ORIGIN": "http://rtcc.example", "RTCC_SECRET_KEY": "changeme"}
    with RunningSystem(database=operational, extra=extra) as system:
        system.state.chmod(0o755)
        with pytest.raises(NotReady):
            system.start("web", within_s=60)
        log = system.log("web")
        for word in ("origin: rtcc.example is reached over plain http", "secret key: it can be guessed", "files: other users"):
            assert f"not started, {word}" in log
        code, lines = told_of(system)
        assert code == 1
        assert lines.count("BAD") == 5, lines


def test_an_operational_instance_on_this_machine_alone_starts(operational: str) -> None:
    with RunningSystem(database=operational) as system:
        system.start("web")
        code, lines = told_of(system)
        assert (code, "nothing bad" in lines) == (0, True), lines


def test_where_the_database_comes_late_the_process_ends_as_soon_as_it_says_what_it_is_for(django_db_blocker: DjangoDbBlocker) -> None:
    extra = {"RTCC_ORIGIN": "http://rtcc.example"}
    with migrated_database("late") as name, RunningSystem(database=f"{name}_not_yet", extra=extra) as system:
        system.start("redis")
        web = system.processes["web"] = system._spawn("web")
        wait_until(lambda: "Application startup complete" in system.log("web"), within_s=60, what="the start without a database")
        with django_db_blocker.unblock(), orm_on(name):
            Instance.objects.create(kind="operational")
        _administer(f'ALTER DATABASE "{name}" RENAME TO "{name}_not_yet"')
        try:
            wait_until(lambda: web.poll() is not None, within_s=30, what="the end")
        finally:
            _administer(f'ALTER DATABASE "{name}_not_yet" RENAME TO "{name}"')
        assert "not started, origin: rtcc.example" in system.log("web")
