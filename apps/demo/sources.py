"""The demonstration's sources and their keys. Keys are kept in the state folder, since they are shown only once."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from apps.accounts.models import Agency
from apps.accounts.operations import digest_of
from apps.demo import keys
from apps.ingest.models import Source, SourceKey
from apps.ingest.operations import create_source, issue_key


@dataclass(frozen=True)
class Wanted:
    slug: str
    name: str
    adapter: str
    origin: str
    interval_s: float
    settings: dict[str, Any] = field(default_factory=dict)


def ensure(wanted: Wanted, *, agency: Agency, state_folder: Path, at: datetime) -> Source:
    """Return the source, made if missing; give it a key if the state folder has none that opens it."""
    source = Source.objects.filter(slug=wanted.slug).first() or create_source(
        agency=agency,
        slug=wanted.slug,
        name=wanted.name,
        adapter=wanted.adapter,
        origin=wanted.origin,
        settings=wanted.settings,
        interval_s=wanted.interval_s,
    )
    known = keys.read(state_folder)
    if not opens(known.get(wanted.slug, ""), source):
        keys.write(state_folder, known | {wanted.slug: issue_key(source, None)})
    return source


def opens(key: str, source: Source) -> bool:
    return SourceKey.objects.filter(source=source, key__digest=digest_of(key), key__revoked_at=None).exists()
