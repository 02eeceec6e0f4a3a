"""What administrators do with sources and their keys."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from apps.accounts import operations as accounts
from apps.accounts.instance import read_instance
from apps.accounts.models import Agency, ApiKey, Member
from apps.audit.operations import record
from apps.ingest.adapters import ADAPTERS
from apps.ingest.models import Source, SourceKey


class UnknownAdapter(Exception):
    """No adapter has this name."""


class WrongOrigin(Exception):
    """This instance may not hold data of that origin."""


def check_origin(origin: str) -> None:
    """Raises WrongOrigin, and accounts.instance.NoInstance before the instance is set up."""
    instance = read_instance()
    if origin not in instance.origins:
        may = " or ".join(sorted(instance.origins))
        raise WrongOrigin(f"this instance is {instance.kind}: a source here is {may}, not {origin}")


def check_adapter(adapter: str) -> None:
    """Raises UnknownAdapter."""
    if adapter not in ADAPTERS:
        raise UnknownAdapter(f'no adapter is called "{adapter}"; there are {", ".join(sorted(ADAPTERS))}')


@transaction.atomic
def create_source(
    *, agency: Agency, slug: str, name: str, adapter: str, origin: str, settings: Mapping[str, Any] | None = None,
    interval_s: float = 10, observations_per_s: int = 50_000,
) -> Source:  # fmt: skip
    """Create a source. Raises UnknownAdapter and WrongOrigin."""
    check_adapter(adapter)
    check_origin(origin)
    source = Source.objects.create(
        agency=agency, slug=slug, name=name, adapter=adapter, origin=origin, settings=dict(settings or {}),
        interval_s=interval_s, observations_per_s=observations_per_s,
    )  # fmt: skip
    facts = {"source": slug, "adapter": adapter, "origin": origin}
    record("source_made", target=f"source:{source.pk}", agency_id=agency.pk, detail=facts)
    return source


@transaction.atomic
def issue_key(source: Source, by: Member | None) -> str:
    """Make a key for one source and return it; only its SHA-256 is kept, so it can be shown this once."""
    made = accounts.make_key(agency=source.agency, by=by)
    SourceKey.objects.create(key=made.key, source=source)
    facts = {"key": made.key.prefix, "source": source.slug}
    record("key_issued", target=f"source:{source.pk}", agency_id=source.agency_id, detail=facts)
    return made.text


@transaction.atomic
def revoke_key(key: ApiKey, at: datetime | None = None) -> None:
    """End a key; every front door knows within a second. A key that is revoked already keeps its first time."""
    accounts.revoke_key(key=ApiKey.objects.select_for_update().get(pk=key.pk), at=at or datetime.now(UTC))
