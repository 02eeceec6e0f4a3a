"""When guessing ends: five failures within 15 minutes lock a name until an administrator releases it (CJIS Security Policy, AC-7).

Names that nobody has are counted and locked alike, so that a lock tells nothing of who is a member.
"""

from datetime import datetime, timedelta

from django.db import transaction

from apps.accounts.models import SignInAttempts
from apps.audit.operations import record

MOST_FAILURES = 5
WINDOW = timedelta(minutes=15)


def key_of(name: str) -> str:
    """Return the name as sign-in compares it: without regard to case."""
    return name.casefold()[:254]


@transaction.atomic
def begin_attempt(name: str, *, at: datetime) -> bool:
    """Count an attempt before its password or code is looked at, and return whether it may be; a success takes it back. However many
    come at once, no more than MOST_FAILURES are tried."""
    SignInAttempts.objects.filter(locked_at=None, last_at__lt=at - WINDOW).delete()
    own = SignInAttempts(name=key_of(name), failed_at=[], last_at=at)
    SignInAttempts.objects.bulk_create([own], update_conflicts=True, unique_fields=["name"], update_fields=["last_at"])  # and locks it
    row = SignInAttempts.objects.get(name=own.name)
    if row.locked_at is None:
        row.failed_at = [moment for moment in row.failed_at if moment > at - WINDOW]
        if len(row.failed_at) >= MOST_FAILURES:
            row.locked_at = at
            record("name_locked", target=f"name:{row.name}", name=row.name, count=len(row.failed_at))
    allowed = row.locked_at is None
    if allowed:
        row.failed_at = [*row.failed_at, at]
    row.save()
    return allowed


def succeeded(name: str) -> None:
    """Somebody signed in, with every step: what was counted is forgotten, since only failures in a row lock."""
    SignInAttempts.objects.filter(name=key_of(name), locked_at=None).delete()


def is_locked(name: str) -> bool:
    return SignInAttempts.objects.filter(name=key_of(name), locked_at__isnull=False).exists()


@transaction.atomic
def take_back(name: str) -> None:
    """One step went well (a password of two steps, an unlocking): its own attempt counts no more, the failures before it do."""
    row = SignInAttempts.objects.select_for_update().filter(name=key_of(name), locked_at=None).first()
    if row is not None:
        row.failed_at = row.failed_at[:-1]
        row.save(update_fields=["failed_at"])


@transaction.atomic
def release(name: str) -> bool:
    """Let a name sign in again; return whether it was locked."""
    released, _ = SignInAttempts.objects.filter(name=key_of(name), locked_at__isnull=False).delete()
    if released:
        record("name_released", target=f"name:{key_of(name)}")
    return bool(released)
