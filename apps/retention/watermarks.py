"""What has been removed so far, in a file outside of the database: a restored backup is purged by it before it serves.

One line of JSON for each class and agency (`before`: all older than this is gone), and one for each hold that was released.
`generation` is the instance's: of another story (a demonstration that was begun anew) nothing is to be removed. `instance` is the
moment at which the instance was made, which its backups bring along: what another one on this machine removed says nothing of ours,
whatever generation a restore gave its lines. A line that names no instance is ours.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.accounts.instance import read_instance
from apps.accounts.models import Instance

Key = tuple[str, str]


def place() -> Path:
    return Path(settings.STATE_FOLDER) / "retention-purged.jsonl"


class Unreadable(Exception):
    """The file is not what this server wrote: nothing is to be served before somebody has looked at it."""


@dataclass
class Watermarks:
    """`purged`: by (class, agency's slug or empty) the time before which all is gone. `released`: holds whose copies are gone."""

    generation: int
    instance: str
    purged: dict[Key, datetime] = field(default_factory=dict)
    released: dict[UUID, datetime] = field(default_factory=dict)

    def reach(self, key: Key, before: datetime) -> None:
        self.purged[key] = max(before, self.purged.get(key, before))

    def lines(self, at: datetime) -> Iterable[dict[str, Any]]:
        for (name, agency), before in sorted(self.purged.items()):
            facts = {"class": name, "agency": agency or None, "before": before.isoformat(), "at": at.isoformat()}
            yield facts | self.whose
        for hold, when in sorted(self.released.items(), key=lambda one: one[1]):
            yield {"hold": str(hold), "released": when.isoformat()} | self.whose

    @property
    def whose(self) -> dict[str, Any]:
        return {"generation": self.generation, "instance": self.instance}

    def are_of(self, said: dict[str, Any]) -> bool:
        """Whether a line is about this instance and story. Raises KeyError."""
        return bool(said["generation"] == self.generation and said.get("instance", self.instance) == self.instance)

    def write(self, at: datetime) -> None:
        """Replace the file at once, readable by its owner only."""
        file = place()
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            out.writelines(json.dumps(line) + "\n" for line in self.lines(at))
            out.flush()
            os.fsync(out.fileno())
        os.replace(fresh, file)


def blank() -> Watermarks:
    """Return marks of this instance that say nothing. Raises NoInstance."""
    return Watermarks(read_instance().generation, Instance.objects.get().created_at.isoformat())


def read() -> Watermarks:
    """Return what the file says of this instance and generation; nothing when there is no file. Raises Unreadable, NoInstance."""
    marks = blank()
    try:
        text = place().read_text(encoding="utf-8")
    except FileNotFoundError:
        return marks
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            _take(marks, json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable(f"line {number} of {place().name} cannot be read: {error}") from error
    return marks


def _take(marks: Watermarks, said: dict[str, Any]) -> None:
    if not marks.are_of(said):
        return
    if "hold" in said:
        marks.released[UUID(said["hold"])] = datetime.fromisoformat(said["released"])
    else:
        marks.reach((said["class"], said["agency"] or ""), datetime.fromisoformat(said["before"]))
