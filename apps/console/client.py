"""The web client that Vite built: which files its page loads."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
from django.templatetags.static import static


class Chunk(msgspec.Struct):
    """An entry of Vite's manifest. Paths are relative to the folder that it is built into."""

    file: str
    css: list[str] = []
    isEntry: bool = False


class ClientNotBuilt(Exception):
    """There is no built web client; `./rtcc up` builds it."""


@dataclass(frozen=True)
class Entry:
    """Addresses of the script and the style sheets, as the page names them."""

    js: str
    css: tuple[str, ...]


def read_entry(built: Path) -> Entry:
    """Return what the page loads. Raises ClientNotBuilt."""
    try:
        manifest = msgspec.json.decode((built / ".vite" / "manifest.json").read_bytes(), type=dict[str, Chunk])
    except FileNotFoundError as error:
        raise ClientNotBuilt("the web client is not built; run ./rtcc up") from error
    for chunk in manifest.values():
        if chunk.isEntry:
            return Entry(static(chunk.file), tuple(static(file) for file in chunk.css))
    raise ClientNotBuilt("the web client's manifest names no entry; run ./rtcc up")
