"""A hold's copies as lines of JSON: who reads them is audited before the first line leaves."""

import json
from collections.abc import AsyncIterator
from datetime import datetime

from asgiref.sync import sync_to_async
from django.db import transaction

from apps.accounts.models import Member
from apps.audit.acting import Acting, acting, acting_as
from apps.audit.operations import record
from apps.retention.copying import copy_by_parts
from apps.retention.models import HeldRow, Hold
from apps.retention.operations import BadHold, require_administrator

AT_ONCE = 2_000


def lines(*, hold: Hold, by: Member, at: datetime) -> AsyncIterator[bytes]:
    """Return the copies, brought up to date before the first line, which may take minutes. A line holds the table, the row as the
    table had it (places as GeoJSON, bytes as hexadecimal) and the SHA-256 of the row's text in PostgreSQL. Raises NotAllowed, BadHold
    (not confirmed, or ended)."""
    require_administrator(by, hold.agency)
    if hold.released_at is not None or hold.confirmed_at is None:
        raise BadHold("copies are given out while a hold is confirmed and has not ended")
    return _lines(hold, acting(), at)


async def _lines(hold: Hold, who: Acting, at: datetime) -> AsyncIterator[bytes]:
    """Page in short statements, so that a slow reader holds no transaction and no page is larger than AT_ONCE rows."""
    count = await sync_to_async(_prepare)(hold, who, at)
    head = {"hold": str(hold.pk), "case_number": hold.case_number, "rows": count, "copied_until": at.isoformat()}
    yield json.dumps(head).encode() + b"\n"
    after = 0
    while rows := await sync_to_async(_page)(hold, after):
        yield b"".join(_line(row) for row in rows)
        after = rows[-1].pk


def _prepare(hold: Hold, who: Acting, at: datetime) -> int:
    """Bring the copies up to date, and write down that they are read. Answers begin before, so that no browser gives up."""
    count = copy_by_parts(hold, at=at)
    with acting_as(lambda: who), transaction.atomic():
        record("legal_hold_read", target=f"hold:{hold.pk}", agency_id=hold.agency_id, count=count, reason=f"case {hold.case_number}")
    return count


def _page(hold: Hold, after: int) -> list[HeldRow]:
    return list(HeldRow.objects.filter(hold=hold, pk__gt=after).order_by("pk")[:AT_ONCE])


def _line(row: HeldRow) -> bytes:
    said = {"table": row.table, "key": row.key, "at": row.at.isoformat() if row.at else None, "row": row.row, "sha256": row.digest}
    return json.dumps(said).encode() + b"\n"
