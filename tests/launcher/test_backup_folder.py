"""What a backup folder says of itself: which files lead to a moment, and which are not needed any more."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rtcc_geo.launching.backup_folder import BackupFolder, FolderProblem, following, of_this_history, verify_state

ABOUT = {"system_identifier": "7", "timeline": "00000001", "written_by": "here"}


@pytest.fixture
def folder(tmp_path: Path) -> BackupFolder:
    made = BackupFolder(tmp_path / "backups")
    made.adopt(ABOUT)
    return made


def add_base(folder: BackupFolder, hour: int, segment: int) -> None:
    at = datetime(2026, 11, 26, hour, tzinfo=UTC)
    unfinished = folder.begin(at)
    (unfinished / "state").mkdir()
    (unfinished / "state" / "secrets.json").write_text(f"secret of {hour}")
    folder.finish(unfinished, {"began": at.isoformat(), "ended": at.isoformat(), "first_segment": f"{1:08X}{0:08X}{segment:08X}"})


def add_wal(folder: BackupFolder, *numbers: int) -> None:
    for number in numbers:
        (folder.wal / f"{1:08X}{0:08X}{number:08X}").write_text("")
    (folder.wal / f"{1:08X}{0:08X}{max(numbers) + 1:08X}.partial").write_text("")


def test_two_backups_of_one_second_are_two(folder: BackupFolder) -> None:
    add_base(folder, 10, 2)
    add_base(folder, 10, 2)
    assert [base.folder.name for base in folder.all()] == ["20261126T100000Z", "20261126T100001Z"]


def test_the_backup_that_precedes_a_moment_is_chosen(folder: BackupFolder) -> None:
    for hour, segment in ((10, 2), (12, 5), (14, 9)):
        add_base(folder, hour, segment)
    assert folder.base_before(datetime(2026, 11, 26, 13, tzinfo=UTC)).ended.hour == 12
    assert folder.base_before(None).ended.hour == 14


def test_older_backups_go_with_the_wal_that_only_they_needed(folder: BackupFolder) -> None:
    for hour, segment in ((10, 2), (12, 5), (14, 9)):
        add_base(folder, hour, segment)
    add_wal(folder, *range(2, 12))
    assert [base.ended.hour for base in folder.prune(2)] == [10]
    assert sorted(path.name[-10:] for path in folder.wal.iterdir())[0].startswith("0000000005"[-10:])
    assert [base.ended.hour for base in folder.all()] == [12, 14]
    assert len(folder.segments_from(folder.all()[0].first_segment)) == 8


def test_a_gap_in_the_wal_is_seen(folder: BackupFolder) -> None:
    add_base(folder, 10, 2)
    add_wal(folder, 2, 3, 5, 6)
    segments = folder.segments_from(folder.all()[0].first_segment)
    assert [path.name[-1] for path in segments] == ["2", "3"]
    assert folder.missing_after(segments) == f"{1:08X}{0:08X}{4:08X}"


def test_segments_are_counted_as_postgres_does() -> None:
    assert following("0000000100000000000000FE") == "0000000100000000000000FF"
    assert following("0000000100000000000000FF") == "000000010000000100000000"


@pytest.mark.parametrize("changed", ["system_identifier", "timeline", "written_by"])
def test_another_history_is_not_written_beside_the_first(folder: BackupFolder, changed: str) -> None:
    with pytest.raises(FolderProblem, match="another history"):
        folder.adopt({**ABOUT, changed: "other"})


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wal").mkdir()
    (tmp_path / "wal" / "something").write_text("")
    with pytest.raises(FolderProblem, match="Name an empty folder"):
        BackupFolder(tmp_path).adopt(ABOUT)


def test_a_changed_secret_is_found(folder: BackupFolder) -> None:
    add_base(folder, 10, 2)
    base = folder.all()[0]
    verify_state(base)
    (base.folder / "state" / "secrets.json").write_text("other")
    with pytest.raises(FolderProblem, match="not what was backed up"):
        verify_state(base)


def test_the_state_files_are_copied_as_they_change(folder: BackupFolder, tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "audit-heads").mkdir(parents=True)
    (state / "audit-heads" / "1.json").write_text("one")
    assert folder.mirror(state) == 1
    assert folder.mirror(state) == 0
    (state / "audit-heads" / "1.json").write_text("two")
    assert folder.mirror(state) == 1
    copy = folder.state / "audit-heads" / "1.json"
    assert (copy.read_text(), copy.stat().st_mode & 0o777) == ("two", 0o600)


@pytest.mark.parametrize(("formerly", "expected"), [(None, [9, 9]), ([4], [3, 9]), ([2, 3, 4], [9, 9])])
def test_what_was_purged_stays_purged_under_the_new_generation(tmp_path: Path, formerly: list[int] | None, expected: list[int]) -> None:
    purged = tmp_path / "retention-purged.jsonl"
    purged.write_text('{"class": "fixes", "generation": 3}\n{"class": "calls", "generation": 4}\n')
    of_this_history(purged, 9, formerly=formerly)
    assert [json.loads(line)["generation"] for line in purged.read_text().splitlines()] == expected


def test_a_file_of_purges_that_cannot_be_read_stops_a_restore(tmp_path: Path) -> None:
    (tmp_path / "retention-purged.jsonl").write_text("{")
    with pytest.raises(FolderProblem, match="must not come back"):
        of_this_history(tmp_path / "retention-purged.jsonl", 9, formerly=None)
