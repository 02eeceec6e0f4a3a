"""Refusals to members who are signed in: one entry at once, and one more with the number of the others when the minute has ended."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.audit.acting import acting
from apps.audit.chain import Connection
from apps.audit.operations import record

log = logging.getLogger(__name__)
WATCHED = ("/api/", "/audit/", "/retention/", "/health/", "/admin/")
REFUSED = (401, 403, 404)
MOST_TARGETS = 20
OTHERS = "other addresses"
KNOWN = """
    SELECT count(*), coalesce(bool_or(target = %(target)s), false) FROM audit_refusal WHERE member_id = %(member)s AND minute = %(minute)s
"""
COUNT = """
    INSERT INTO audit_refusal AS known (member_id, minute, target, member_name, address, road, count)
    VALUES (%(member)s, %(minute)s, %(target)s, %(name)s, %(address)s, %(road)s, 1)
    ON CONFLICT (member_id, minute, target) DO UPDATE SET count = known.count + 1 RETURNING count
"""
SETTLE = """
    WITH ended AS (DELETE FROM audit_refusal WHERE minute < %s - interval '1 minute' RETURNING *)
    INSERT INTO audit_entry (act, member_id, member_name, address, road, target, count, reason, detail)
    SELECT 'refused', member_id, member_name, address, road, target, count - 1, '', jsonb_build_object('again_in_minute_of', minute)
    FROM ended WHERE count > 1
"""


class RefusalMiddleware:
    """Comes after ActingMiddleware. A refusal has changed nothing, so it is written in a transaction of its own; when that fails
    it is logged, and the refusal stands."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code in REFUSED and request.path.startswith(WATCHED):
            try:
                refused(f"{request.method} {readable(request.path)}", response.status_code, at=timezone.now())
            except DatabaseError:
                log.exception("a refusal could not be written to the audit")
        return response


def readable(path: str) -> str:
    """Return the path with a ? for each character that no table or screen takes."""
    return "".join(one if one.isprintable() else "?" for one in path[:200])


@transaction.atomic
def refused(target: str, status: int, *, at: datetime) -> None:
    """Write that whoever acts now was refused; nothing when nobody is signed in."""
    who = acting()
    if who.member_id is None:
        return
    facts: dict[str, Any] = {
        "member": who.member_id, "minute": at.replace(second=0, microsecond=0), "target": target[:200], "name": who.name,
        "address": who.address, "road": who.road,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, facts)
        targets, is_known = cursor.fetchone()
        if targets >= MOST_TARGETS and not is_known:
            facts["target"] = OTHERS
        cursor.execute(COUNT, facts)
        is_first = cursor.fetchone()[0] == 1
    if is_first:
        record("refused", target=facts["target"], count=1, detail={"status": status})


def settle(own: Connection, at: datetime) -> None:
    """Turn the counts of ended minutes into entries, in one transaction."""
    own.execute(SETTLE, [at])
