"""Keys of the demonstration's sources, in a file of the instance's private folder that only its user can read."""

import json
import os
from pathlib import Path

from django.conf import settings

from apps.demo.front_door import Door

FILE = "demo-keys.json"


class NoKey(Exception):
    """The key of a source is not in the state folder."""


def read(folder: Path) -> dict[str, str]:
    path = folder / FILE
    return dict(json.loads(path.read_text())) if path.exists() else {}


def write(folder: Path, keys: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{FILE}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(keys, file, indent=1)
    part.replace(folder / FILE)


def door_of(slug: str, origin: str) -> Door:
    """Raises NoKey."""
    keys = read(Path(settings.STATE_FOLDER))
    if slug not in keys:
        raise NoKey(f"no key of the source {slug} in {FILE} of the state folder; run ./rtcc run bootstrap --kind demo")
    return Door(f"{settings.OWN_DOOR}/ingest/{slug}", keys[slug], origin)
