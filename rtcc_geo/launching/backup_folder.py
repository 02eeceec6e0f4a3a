"""What lies in a backup folder, and which of it leads to a moment. Knows files only; ./rtcc does the rest.

    about.json                      whose history this is: system identifier, timeline, which instance writes it
    base/20261126T200000Z/          one base backup; it appears under this name only when it is whole
        database/                   as pg_basebackup made it, with its backup_manifest
        state/                      files of the instance that are not in the database, with its secrets
        manifest.json               when, what, which versions, and the checksum of each file of state/
    wal/                            everything committed since, segment by segment; the newest ends in .partial
    state/                          the newest of the state files
"""

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

UNFINISHED = ".unfinished"
STAMP = "%Y%m%dT%H%M%SZ"
SEGMENT = re.compile(r"^[0-9A-F]{24}(\.partial)?$")
HISTORY = re.compile(r"^[0-9A-F]{8}\.history$")
LARGEST_STATE_FILE = 200_000_000


class FolderProblem(Exception):
    """A backup folder cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Base:
    """A whole base backup. `began` and `ended` by the database server's clock; any moment from `ended` on can be reached."""

    folder: Path
    began: datetime
    ended: datetime
    first_segment: str
    facts: Mapping[str, Any]

    @property
    def database(self) -> Path:
        return self.folder / "database"


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner enters. Raises FolderProblem."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as problem:
        raise FolderProblem(f"{path} cannot be made a private folder: {problem.strerror}") from None
    return path


def write_whole(path: Path, text: str) -> None:
    """Replace a file at once; it is on the disk when this returns."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def moment(text: str) -> datetime:
    """Read a moment with its zone, such as 2026-11-26T20:00:00Z. Raises FolderProblem."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise FolderProblem(f"{text!r} is not a moment; write it as 2026-11-26T20:00:00Z") from None
    if read.tzinfo is None:
        raise FolderProblem(f"{text!r} has no time zone; write {text}Z for UTC, or {text}-06:00")
    return read.astimezone(UTC)


class BackupFolder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bases, self.wal, self.state = folder / "base", folder / "wal", folder / "state"

    # -- making it

    def adopt(self, about: Mapping[str, Any]) -> None:
        """Make the folder ours, or see that it is. Raises FolderProblem where it holds another history: restoring an
        instance begins a new one, and writing that beside the old one would make both unreadable."""
        for path in (self.folder, self.bases, self.wal, self.state):
            private_folder(path)
        known = self.about()
        if known and known != dict(about):
            told = ", ".join(f"{name} {known.get(name)}" for name in about if known.get(name) != about[name])
            raise FolderProblem(f"{self.folder} holds the backups of another history ({told}). Name an empty folder.")
        if not known:
            if any(self.bases.iterdir()) or any(self.wal.iterdir()):
                raise FolderProblem(f"{self.folder} is not empty and does not say whose backups it holds. Name an empty folder.")
            write_whole(self.folder / "about.json", json.dumps(dict(about), indent=1))

    def about(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / "about.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as problem:
            raise FolderProblem(f"{self.folder / 'about.json'} cannot be read: {problem}") from None

    def begin(self, at: datetime) -> Path:
        """Return the folder of a base backup that is not finished; what a killed one left is removed first."""
        self.clear_unfinished()
        while (self.bases / at.strftime(STAMP)).exists():
            at += timedelta(seconds=1)
        return private_folder(self.bases / f"{at.strftime(STAMP)}{UNFINISHED}")

    def clear_unfinished(self) -> None:
        """Remove what a killed backup left."""
        for left in self.bases.glob(f"*{UNFINISHED}"):
            shutil.rmtree(left)

    def finish(self, unfinished: Path, facts: Mapping[str, Any]) -> Base:
        """Write the manifest, and only then let the backup appear under its name."""
        sums = {str(path.relative_to(unfinished)): checksum(path) for path in files_of(unfinished / "state")}
        write_whole(unfinished / "manifest.json", json.dumps({**facts, "state": sums}, indent=1))
        whole = unfinished.with_name(unfinished.name.removesuffix(UNFINISHED))
        unfinished.rename(whole)
        sync_folder(self.bases)
        return read_base(whole)

    def mirror(self, state: Path) -> int:
        """Bring the copies of the instance's own files up to date; return how many were written."""
        return copy_state(state, private_folder(self.state))

    def prune(self, keep: int) -> list[Base]:
        """Remove all but the newest `keep` base backups, and the WAL that only those needed. Returns what was removed."""
        bases = self.all()
        gone, kept = bases[:-keep], bases[-keep:]
        for base in gone:
            doomed = base.folder.with_name(base.folder.name + UNFINISHED)
            base.folder.rename(doomed)
            shutil.rmtree(doomed)
        for path in self.wal.iterdir() if kept else ():
            if SEGMENT.match(path.name) and path.name[8:24] < kept[0].first_segment[8:]:
                path.unlink()
        return gone

    # -- reading it

    def all(self) -> list[Base]:
        """Whole base backups, oldest first."""
        folders = sorted(self.bases.iterdir()) if self.bases.is_dir() else []
        return [read_base(path) for path in folders if path.is_dir() and not path.name.endswith(UNFINISHED)]

    def base_before(self, at: datetime | None) -> Base:
        """Return the newest base backup from which `at` (None: the end) can be reached. Raises FolderProblem."""
        bases = self.all()
        fitting = [base for base in bases if at is None or base.ended <= at]
        if fitting:
            return fitting[-1]
        if bases and at is not None:
            oldest = f"{bases[0].ended:%Y-%m-%d %H:%M:%S} UTC"
            raise FolderProblem(f"{at:%Y-%m-%d %H:%M:%S} UTC is before the oldest backup in {self.folder}, of {oldest}")
        raise FolderProblem(f"there is no whole base backup in {self.folder}")

    def segments_from(self, first: str) -> list[Path]:
        """The WAL from a segment on, up to the first that is missing."""
        found: list[Path] = []
        for path in sorted(path for path in self.wal.iterdir() if SEGMENT.match(path.name) and path.name[:24] >= first):
            if path.name[:24] != (following(found[-1].name[:24]) if found else first):
                break
            found.append(path)
        return found

    def missing_after(self, segments: Sequence[Path]) -> str | None:
        """Name the segment that is missing while later ones are there."""
        newest = max((path.name[:24] for path in self.wal.iterdir() if SEGMENT.match(path.name)), default="")
        if segments and newest > segments[-1].name[:24]:
            return following(segments[-1].name[:24])
        return None

    def histories(self) -> list[Path]:
        return [path for path in self.wal.iterdir() if HISTORY.match(path.name)]


def read_base(folder: Path) -> Base:
    """Raises FolderProblem for one whose manifest is missing or broken."""
    try:
        facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        began, ended = (datetime.fromisoformat(facts[name]) for name in ("began", "ended"))
        return Base(folder, began, ended, facts["first_segment"], facts)
    except (OSError, ValueError, KeyError) as problem:
        raise FolderProblem(f"{folder} is no backup that ./rtcc made: {problem}") from None


def verify_state(base: Base) -> None:
    """Raises FolderProblem when a file of the instance is missing from the backup or is not what was backed up."""
    for name, expected in base.facts["state"].items():
        path = base.folder / name
        if not path.is_file() or checksum(path) != expected:
            raise FolderProblem(f"{path} is not what was backed up")


def following(segment: str) -> str:
    """The next segment of 16 MB on the same timeline: 256 make one "log"."""
    number = int(segment[8:16], 16) * 256 + int(segment[16:24], 16) + 1
    return f"{segment[:8]}{number // 256:08X}{number % 256:08X}"


def files_of(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(place) / name
            if path.is_file() and not path.is_symlink() and not name.startswith(".") and path.stat().st_size <= LARGEST_STATE_FILE:
                yield path


def copy_state(source: Path, target: Path) -> int:
    """Copy what changed, each file at once. Nothing is removed: a file that the instance no longer has may be wanted."""
    copied = 0
    for path in files_of(source):
        copy = target / path.relative_to(source)
        about = path.stat()
        if copy.exists() and (copy.stat().st_size, copy.stat().st_mtime_ns) == (about.st_size, about.st_mtime_ns):
            continue
        private_folder(copy.parent)
        fresh = copy.with_name(f".{copy.name}.{os.getpid()}")
        shutil.copy2(path, fresh)
        fresh.chmod(0o600)
        os.replace(fresh, copy)
        copied += 1
    return copied


def add_lines(source: Path, target: Path) -> None:
    """Add what a file of lines says to another: an instance that is set aside may have purged more than its last backup knows."""
    if source.exists():
        known = target.read_text(encoding="utf-8") if target.exists() else ""
        write_whole(target, known + source.read_text(encoding="utf-8"))


def of_this_history(purged: Path, generation: int, *, formerly: Sequence[int] | None) -> None:
    """Let the lines of the file of what retention removed hold for a restored database, whose generation is a new one. `formerly`:
    only lines of those generations (None: all). Raises FolderProblem: nothing may be served while what is gone is not known."""
    if not purged.exists():
        return
    try:
        lines = [json.loads(line) for line in purged.read_text(encoding="utf-8").splitlines() if line]
        told = [{**line, "generation": generation} if formerly is None or line["generation"] in formerly else line for line in lines]
    except (ValueError, KeyError, TypeError) as problem:
        raise FolderProblem(f"{purged} says what must not come back, and cannot be read: {problem}") from None
    write_whole(purged, "".join(json.dumps(line) + "\n" for line in told))


def system_identifier(cluster: Path) -> str | None:
    """What PostgreSQL calls a cluster and every copy of it; None where there is none. pg_control begins with it in every version, so
    that it can be read without that version's programs."""
    try:
        return str(int.from_bytes((cluster / "global" / "pg_control").read_bytes()[:8], sys.byteorder))
    except FileNotFoundError:
        return None
