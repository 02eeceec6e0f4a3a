"""Sign off a week of the audit."""

from datetime import date, datetime

from django.db import transaction

from apps.audit.models import Review
from apps.audit.operations import record


class WeekNotOver(Exception):
    """A week is signed off when it has ended."""


@transaction.atomic
def sign_off(
    *, week: date, ends: datetime, agency_id: int | None, by_id: int, by_name: str, at: datetime, note: str = "", agency: str = ""
) -> Review:
    """Keep that a member has looked at the week that begins on that Monday and ends at `ends`. Raises WeekNotOver."""
    if at < ends:
        raise WeekNotOver(f"the week of {week} ends at {ends:%Y-%m-%d %H:%M}")
    review = Review.objects.create(week=week, agency_id=agency_id, by_id=by_id, by_name=by_name, at=at, note=note.strip()[:1000])
    facts = {"week": week.isoformat(), "agency": agency}
    record("audit_reviewed", target=f"week:{week}", agency_id=agency_id, reason=note.strip(), detail=facts)
    return review
