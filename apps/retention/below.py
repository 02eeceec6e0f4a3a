"""The data classes of the apps below this one, which cannot describe themselves in its words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection, transaction

from apps.audit.retention import NotWhole, purge_before
from apps.audit.signing import KeyMissing
from apps.retention.definition import DAY, DataClass, Limit, Removed, Table
from apps.retention.removal import CannotRemove, tally

SESSIONS = DataClass(
    name="sessions",
    title="Sessions",
    about="Who was signed in on which browser. Counted from the session's end.",
    keep=timedelta(0),
    kept_before=True,
    shortest=timedelta(0),
    source="accounts_membersession r",
    key="r.session_key",
    key_type="text",
    age="r.expire_date",
    clock="real",
    tables=(Table("accounts_membersession", thing="r.session_key", key="md5(r.session_key)", at="r.expire_date", held=False),),
)
EARLIER_SESSIONS = replace(
    SESSIONS,
    name="earlier_sessions",
    title="Sessions of earlier versions",
    about="What an upgrade left in Django's own table, which nothing reads any more. Counted from the session's end.",
    source="django_session r",
    tables=(replace(SESSIONS.tables[0], name="django_session"),),
)
ATTEMPTS = DataClass(
    name="sign_in_attempts",
    title="Failed sign-ins",
    about="Under which names somebody failed to sign in. A name that is locked stays until it is released.",
    keep=30 * DAY,
    source="accounts_signinattempts r",
    key="r.name",
    key_type="text",
    age="r.last_at",
    where="r.locked_at IS NULL",
    clock="real",
    tables=(Table("accounts_signinattempts", thing="r.name", key="r.name", at="r.last_at", identity="r.name"),),
)
ADMIN_LOG = DataClass(
    name="admin_log",
    title="Changes on the administrators' pages",
    about="What the pages below /admin/ note of each change. The audit says the same and more.",
    keep=3 * 365 * DAY,
    source="django_admin_log r",
    age="r.action_time",
    clock="real",
    tables=(Table("django_admin_log", thing="r.id", key="r.id", at="r.action_time"),),
)
TOMBSTONES = DataClass(
    name="tombstones",
    title="Marks of what left the map",
    about="The number and time of what was removed from a layer, so that open maps hear of it. A day is enough for every map.",
    keep=DAY,
    source="layers_tombstone r",
    age="r.removed_at",
    agency="r.agency_id",
    kept_before=True,
    clock="real",
    tables=(Table("layers_tombstone", thing="r.id", key="r.id", at="r.removed_at", agency="r.agency_id", held=False),),
)


def remove_audit(limits: Sequence[Limit], at: datetime, most: int) -> Removed:
    """Remove the chain's beginning, whole: the audit's own purge keeps what stays verifiable. Raises CannotRemove."""
    [(_, before)] = limits
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            count = purge_before(cursor, before, at=at)
            removed = Removed(Counter({("audit_entry", None): count}) if count else Counter())
            tally(cursor, AUDIT.name, removed, at)
    except (NotWhole, KeyMissing) as error:
        raise CannotRemove(str(error)) from error
    return removed


AUDIT = DataClass(
    name="audit",
    title="Audit",
    about="Who saw or did what. CJIS asks for a year at least. Whole beginnings of the chain go, so a rule for one agency is not possible.",
    keep=3 * 365 * DAY,
    shortest=365 * DAY,
    source="audit_entry r",
    age="r.written_at",
    clock="real",
    whole_days=True,
    tables=(Table("audit_entry", thing="r.id", key="r.id", at="r.written_at", held=False),),
    remove=remove_audit,
)
