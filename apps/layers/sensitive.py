"""Reads of layers that say where people have been, or whom a camera saw: each leaves its audit row before it is answered."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connection, transaction

from apps.accounts.models import Agency
from apps.audit.operations import record
from apps.layers.definition import Layer

LONGEST_WHY = 300
PATIENCE = "SET LOCAL lock_timeout = '2s'"


class NotAudited(Exception):
    """The audit row cannot be written, so what was to be read is not told."""


class WhyRequired(ValueError):
    """The agency wants to know why this is read."""


@dataclass
class Read:
    """What a read turned out to be; the reader fills it in. `detail`: what the audit tells of where and when, such as a bbox."""

    count: int = 0
    detail: dict[str, Any] = field(default_factory=dict)


def is_sensitive(layer: Layer, *, past: bool) -> bool:
    """Say whether a read of the layer, now or of the past, is audited."""
    return layer.sensitive == "always" or (layer.sensitive == "past" and past)


@contextmanager
def reading(layer: Layer, *, agencies: Sequence[int], past: bool, why: str = "", detail: dict[str, Any] | None = None) -> Iterator[Read]:
    """Run a read and its audit row `layer_read` in one transaction; a read that is not sensitive has neither.

        with reading(layer, agencies=[1], past=True, why=why, detail={"bbox": …}) as read:
            rows = …
            read.count = len(rows)

    Who reads and from where comes from audit.acting. Raises WhyRequired before anything is read, and NotAudited after, in
    place of an answer.
    """
    read = Read(detail=dict(detail or {}))
    if not is_sensitive(layer, past=past):
        yield read
        return
    check_why(layer, agencies, why)
    with transaction.atomic():
        yield read
        _write(layer, agencies, why, read)


def check_why(layer: Layer, agencies: Sequence[int], why: str) -> None:
    """Raises WhyRequired when one of the agencies wants a reason and there is none."""
    if not why.strip() and (wanting := Agency.objects.filter(pk__in=agencies, why_required=True).values_list("name", flat=True)):
        names = ", ".join(sorted(wanting))
        raise WhyRequired(f'{names} asks why "{layer.title}" is read: add why=, such as a case number')


def record_reading(act: str, layer: Layer, agencies: Sequence[int], *, count: int | None, why: str, detail: dict[str, Any]) -> None:
    """Write one row for a read of several agencies' layer."""
    several = {"agencies": list(agencies)} if len(agencies) != 1 else {}
    record(
        act, target=f"layer:{layer.name}", agency_id=agencies[0] if len(agencies) == 1 else None, count=count, reason=why.strip(),
        detail={**detail, **several},
    )  # fmt: skip


def _write(layer: Layer, agencies: Sequence[int], why: str, read: Read) -> None:
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(PATIENCE)
            record_reading("layer_read", layer, agencies, count=read.count, why=why, detail=read.detail)
    except DatabaseError as error:
        raise NotAudited(f'the read of "{layer.title}" could not be written to the audit, so it is not answered') from error
