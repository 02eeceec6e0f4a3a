"""Desks that stand idle: how long each may, and the lock of its session.

The server locks who comes after the desk stood idle, whatever page was open. An open map locks by itself, covered at once, and says
with each question about its session how long ago somebody used it.

A browser learns its class once, by a signed cookie that an administrator sets while sitting at it.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from apps.accounts.models import MemberSession, WorkstationClass
from apps.audit.operations import record

COOKIE = "rtcc_workstation"
SALT = "rtcc workstation"
KEPT = timedelta(days=400)
USUAL_IDLE = timedelta(minutes=30)
SHORTEST_IDLE = timedelta(minutes=1)
"""No desk locks sooner: until then nobody needs to know its class."""


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


def stood_idle(request: HttpRequest, *, at: datetime) -> timedelta:
    """Return how long nobody had used the session when this request came."""
    session: MemberSession | None = getattr(request.session, "row", None)
    used_at = (session.seen_at or session.begun_at) if session else None
    return max(at - used_at, timedelta()) if used_at else timedelta()


def must_lock(request: HttpRequest, *, at: datetime) -> bool:
    idle = stood_idle(request, at=at)
    limit = idle_limit(request) if idle > SHORTEST_IDLE else None
    return limit is not None and idle > limit


def used_at(request: HttpRequest, *, at: datetime) -> datetime | None:
    """Return when somebody used the desk, as this request tells. What a page asks by itself is no use; it may say how long ago
    there was one (`idle_s`, in seconds). None when it does not."""
    if request.path not in settings.ASKED_BY_PAGES:
        return at
    try:
        idle_s = float(request.GET.get("idle_s", ""))
        return at - timedelta(seconds=idle_s) if idle_s >= 0 else None
    except (ValueError, OverflowError):
        return None


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
def unlock(session_key: str, *, at: datetime) -> None:
    MemberSession.objects.filter(session_key=session_key).update(locked_at=None, seen_at=at)
    record("session_unlocked")
