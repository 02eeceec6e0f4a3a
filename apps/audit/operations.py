"""Write audit rows."""

from typing import Any

from apps.audit.acting import acting
from apps.audit.models import Entry


def record(
    act: str,
    *,
    target: str = "",
    agency_id: int | None = None,
    name: str = "",
    count: int | None = None,
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> Entry:
    """Write that whoever acts now did `act`, in the transaction of the act itself: both commit or neither does.

    `name` is for who is not signed in. Raises DatabaseError when the row cannot be written; the act then fails too.
    """
    who = acting()
    return Entry.objects.create(
        act=act, member_id=who.member_id, member_name=(name or who.name)[:254], agency_id=agency_id, road=who.road,
        address=who.address, target=target[:200], count=count, reason=reason[:300], detail=detail or {},
    )  # fmt: skip
