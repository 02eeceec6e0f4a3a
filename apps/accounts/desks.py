"""Desks that stand idle: how long each may, and the lock of its session.

A browser learns its class once, by a signed cookie that an administrator sets while sitting at it.
"""

from datetime import datetime, timedelta

from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from apps.accounts.models import MemberSession, WorkstationClass
from apps.audit.operations import record

COOKIE = "rtcc_workstation"
SALT = "rtcc workstation"
KEPT = timedelta(days=400)
USUAL_IDLE = timedelta(minutes=30)


def class_of(request: HttpRequest) -> WorkstationClass | None:
    """Return the class of the browser's desk; None when nobody set it, or it is gone."""
    try:
        number = int(signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT))
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return WorkstationClass.objects.filter(pk=number).select_related("agency").first()


def idle_limit(request: HttpRequest) -> timedelta | None:
    """Return how long the desk may stand idle; None when it never locks."""
    found = class_of(request)
    if found is None:
        return USUAL_IDLE
    return None if found.is_exempt else timedelta(minutes=found.idle_minutes)


def set_class(response: HttpResponse, found: WorkstationClass | None, *, secure: bool) -> None:
    """Tell the browser its class, or take it away."""
    if found is None:
        response.delete_cookie(COOKIE, samesite="Lax")
    else:
        signed = signing.dumps(found.pk, salt=SALT)
        response.set_cookie(COOKIE, signed, max_age=KEPT, httponly=True, secure=secure, samesite="Lax")
    record("workstation_set", target=f"workstation_class:{found.pk if found else 'none'}", agency_id=found.agency_id if found else None)


@transaction.atomic
def lock(session_key: str, *, at: datetime) -> bool:
    """Lock a session; return whether it was open."""
    locked = MemberSession.objects.filter(session_key=session_key, locked_at=None).update(locked_at=at)
    if locked:
        record("session_locked")
    return bool(locked)


@transaction.atomic
def unlock(session_key: str) -> None:
    MemberSession.objects.filter(session_key=session_key).update(locked_at=None)
    record("session_unlocked")
