"""The daily proof: for each class, table and agency what was removed, what is kept, and by which rule. Numbers, never contents."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256

from django.db import connection, transaction
from django.db.models import Count

from apps.accounts.instance import read_instance
from apps.audit.operations import record
from apps.retention.definition import DataClass
from apps.retention.models import HeldRow, Proof, Tally
from apps.retention.queries import Counted, count_class
from apps.retention.registry import classes
from apps.retention.rules import Rules, agencies, rules_at

DAY = timedelta(days=1)
LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('rtcc retention proof'))"
SIGNED = (
    "day", "generation", "data_class", "table", "agency_id", "rule_id", "keep_s", "removed", "kept", "oldest_kept_at", "overdue", "held",
    "process", "counted_at",
)  # fmt: skip


def due_days(at: datetime) -> list[date]:
    """Return the days that are over and have no proof yet: yesterday, and earlier ones on which something was removed."""
    generation = read_instance().generation
    over = set(Tally.objects.filter(generation=generation, day__lt=at.date()).values_list("day", flat=True)) | {at.date() - DAY}
    return sorted(over - set(Proof.objects.filter(generation=generation, day__in=over).values_list("day", flat=True)))


def close_day(day: date, *, at: datetime, real: datetime, process: str) -> list[Proof]:
    """Write the proof of a day, once. Returns nothing when another process is at it or has done it."""
    lines = lines_of(day, at=at, real=real, process=process)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK)
        generation = read_instance().generation
        if not cursor.fetchone()[0] or Proof.objects.filter(day=day, generation=generation).exists():
            return []
        digest = last_digest()
        for line in lines:
            digest = line.digest = digest_of(line, digest)
        removed = sum(line.removed for line in lines)
        record("retention_proved", target=f"day:{day}", count=removed, detail={"generation": generation, "digest": digest})
        return Proof.objects.bulk_create(lines)


def lines_of(day: date, *, at: datetime, real: datetime, process: str) -> list[Proof]:
    """Return the proof of a day as it would be now, without digests and not stored."""
    rules, whose, generation = rules_at(at), agencies(), read_instance().generation
    lines: list[Proof] = []
    for one in classes().values():
        when = real if one.clock == "real" else at
        counted = {(row.table, row.agency_id): row for row in count_class(one, rules.limits(one, whose, when))}
        lines += _lines(one, counted, rules, Proof(day=day, generation=generation, process=process[:80], counted_at=when))
    return lines


def _lines(one: DataClass, counted: dict[tuple[str, int | None], Counted], rules: Rules, blank: Proof) -> Iterator[Proof]:
    removed = _removed(one.name, blank)
    held = _held(one.name)
    keys = {*counted, *removed, *held} | {(table.name, None) for table in one.tables if table.counted}
    for table, agency in sorted(keys, key=lambda key: (key[0], key[1] or 0)):
        row, rule = counted.get((table, agency), Counted(table, agency, 0, None, 0)), rules.of(one.name, agency)
        yield Proof(
            day=blank.day, generation=blank.generation, data_class=one.name, table=table, agency_id=agency or 0, rule_id=rule.rule_id,
            keep_s=round(rule.keep.total_seconds()), removed=removed.get((table, agency), 0), kept=row.kept, oldest_kept_at=row.oldest,
            overdue=row.overdue, held=held.get((table, agency), 0), process=blank.process, counted_at=blank.counted_at,
        )  # fmt: skip


def _removed(name: str, blank: Proof) -> dict[tuple[str, int | None], int]:
    rows = Tally.objects.filter(day=blank.day, generation=blank.generation, data_class=name).values_list("table", "agency_id", "removed")
    return {(table, agency or None): count for table, agency, count in rows}


def _held(name: str) -> dict[tuple[str, int | None], int]:
    rows = HeldRow.objects.filter(data_class=name, hold__released_at=None).values("table", "hold__agency_id").annotate(count=Count("pk"))
    return {(row["table"], row["hold__agency_id"]): row["count"] for row in rows}


def last_digest() -> str:
    return Proof.objects.order_by("-pk").values_list("digest", flat=True).first() or ""


def digest_of(line: Proof, before: str) -> str:
    """Return SHA-256, in hex, of the digest before and the line's numbers as compact JSON in the order of SIGNED."""
    said = [value.isoformat() if isinstance(value, date) else value for value in (getattr(line, name) for name in SIGNED)]
    return sha256((before + json.dumps(said, separators=(",", ":"))).encode()).hexdigest()


def first_changed(lines: Sequence[Proof] | None = None) -> Proof | None:
    """Return the first line whose digest is not that of its numbers and the line before; None when all hold."""
    digest = ""
    for line in lines if lines is not None else Proof.objects.order_by("pk").iterator():
        digest = digest_of(line, digest)
        if digest != line.digest:
            return line
    return None
