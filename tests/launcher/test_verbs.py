"""The command line: each verb finds its function, words are handed on untouched, and the last line tells the truth."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

VERBS = (
    "up", "down", "status", "run", "shell", "psql", "logs", "reset", "check", "test", "bench", "replay", "doctor",
    "backup", "restore", "upgrade", "login", "prepare", "process", "units",
)  # fmt: skip


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_dispatches_and_explains_itself(launcher: Any, name: str) -> None:
    words = {"run": ["x"], "bench": ["x"], "process": ["x"], "restore": ["x"]}.get(name, [])
    assert launcher.parse([name, *words]).act is getattr(launcher, name)
    helped = subprocess.run([sys.executable, launcher.ROOT / "rtcc", name, "--help"], capture_output=True, text=True)
    assert helped.returncode == 0
    assert f"./rtcc {name}" in helped.stdout


def test_help_lists_every_verb(launcher: Any) -> None:
    helped = subprocess.run([sys.executable, launcher.ROOT / "rtcc", "--help"], capture_output=True, text=True)
    assert all(f"\n    {name} " in helped.stdout for name in VERBS)


def test_words_of_other_programs_are_handed_on_untouched(launcher: Any) -> None:
    assert launcher.parse(["run", "migrate", "--plan", "-v", "2"]).words == ["--plan", "-v", "2"]
    assert launcher.parse(["psql", "-c", "select 1", "--csv"]).words == ["-c", "select 1", "--csv"]
    assert launcher.parse(["bench", "ingest", "--rate", "max"]).words == ["--rate", "max"]
    assert launcher.parse(["replay", "a b.parquet", "--speed", "600"]).words == ["a b.parquet", "--speed", "600"]


def test_a_command_may_be_written_with_dashes(launcher: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(launcher, "Project", lambda: None)
    monkeypatch.setattr(launcher, "manage_command", lambda project, words: ran.append(words) or 0)
    assert launcher.run(launcher.parse(["run", "verify-audit", "--heads", "a-b"])) == 0
    assert ran == [["verify_audit", "--heads", "a-b"]]


def test_test_takes_its_two_flags_and_hands_on_the_rest(launcher: Any) -> None:
    args = launcher.parse(["test", "-k", "a or b", "--recorded", "tests/geo", "-x"])
    assert (args.recorded, args.long, args.words) == (True, False, ["-k", "a or b", "tests/geo", "-x"])


@pytest.mark.parametrize("words", [["up", "--nonsense"], ["nonsense"], [], ["up", "--demo", "--operational"]])
def test_it_refuses_what_it_does_not_know(launcher: Any, words: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        launcher.parse(words)
    assert left.value.code == 2


@pytest.mark.parametrize(
    ("last", "code", "failed_checks", "expected"),
    [
        ("=== 12 passed in 3.1s ===", 0, 0, None),
        ("=== 1 failed, 12 passed, 2 skipped in 3.1s ===", 1, 0, None),
        ("\x1b[32m=== 12 passed in 3.1s ===\x1b[0m", 0, 2, "12 passed, 2 failed"),
        ("=== 1 failed, 12 passed, 3 errors in 3.1s ===", 1, 1, "12 passed, 5 failed"),
        ("=== no tests ran in 0.1s ===", 5, 0, None),
        ("ImportError: conftest", 4, 0, "0 passed, 1 failed"),
        ("", -9, 0, "0 passed, 1 failed"),
    ],
)
def test_the_last_line_of_a_test_run_is_the_truth(launcher: Any, last: str, code: int, failed_checks: int, expected: str | None) -> None:
    assert launcher.closing_line(last, code, failed_checks) == expected


def test_a_test_run_that_takes_too_long_is_ended_and_fails(launcher: Any, short_folder: Path) -> None:
    (short_folder / "test_slow.py").write_text("import time\ndef test_slow():\n    time.sleep(60)\n")
    words = ["-p", "no:django", "--rootdir", str(short_folder), "-c", "/dev/null", str(short_folder)]
    code, last = launcher.run_pytest(words, launcher.clean_environment(), 5)
    assert code == -9
    assert launcher.closing_line(last, code, 0) == "0 passed, 1 failed"


def test_a_test_run_that_cannot_be_set_up_says_so_and_fails(
    launcher: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_room(*_: Any, **__: Any) -> None:
        raise launcher.LauncherError("no room")

    monkeypatch.setattr(launcher, "set_up", no_room)
    assert launcher.main(["test"]) == 2
    assert capsys.readouterr().out.splitlines()[-2:] == ["no room", "0 passed, 1 failed"]


def test_continuous_integration_runs_everything_with_the_recorded_data(launcher: Any) -> None:
    script = launcher.ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "./rtcc test --recorded" in script.read_text()


def test_age_is_told_in_a_unit_that_fits(launcher: Any) -> None:
    assert [launcher.age_text(seconds) for seconds in (5, 90, 7200, 200000)] == ["5 s", "1.5 min", "2.0 h", "2.3 d"]


@pytest.mark.parametrize(("cores", "processes"), [(1, None), (2, "2"), (64, "4")])
def test_the_whole_suite_runs_in_as_many_processes_as_there_are_cores(launcher: Any, cores: int, processes: str | None) -> None:
    options = launcher.side_by_side(cores)
    assert options[:2] == (["-n", processes] if processes else [])
    assert ("loadscope" in options) == (processes is not None)


@pytest.mark.parametrize(("words", "processes"), [([], 1), (["-n", "2"], 2), (["-n", "2", "tests/apps", "-n", "0"], 1)])
def test_each_process_that_runs_tests_has_servers_of_its_own(launcher: Any, words: list[str], processes: int) -> None:
    assert launcher.processes_of(words) == processes


@pytest.mark.parametrize("number", ["5", "auto"])
def test_more_processes_than_servers_are_refused(launcher: Any, number: str) -> None:
    with pytest.raises(launcher.LauncherError, match=f"-n {number}: tests run in 0 to 4 processes"):
        launcher.processes_of(["-n", number])


@pytest.mark.parametrize("long", [False, True])
def test_a_test_that_stands_still_has_an_end_unless_it_may_be_long(launcher: Any, long: bool) -> None:
    args = launcher.command_line().parse_args(["test", *(["--long"] if long else [])])
    args.words = ["tests/launcher"]
    words = launcher.test_words(args, cores=2)
    assert any(word.startswith("--timeout=") for word in words) != long
    assert "-n" not in words, "chosen tests run in one process"
