"""Sessions of members: what is noted when one begins, the list of them, and their end."""

import re
import time
from datetime import datetime
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import break_glass
from apps.accounts.models import Member, MemberSession
from apps.accounts.session_store import SIGN_IN
from apps.audit.operations import record

CONFIRMED = "confirmed_at"
"""In the session's data: when its member last proved who they are, in seconds since 1970."""
WAYS = {"password": "password", "totp": "code", "recovery_codes": "recovery code", "webauthn": "passkey", "socialaccount": "single sign-on"}
SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "CrOS", "Linux")
BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Version", "Safari"), ("curl", "curl"))


def begun(sender: object, request: HttpRequest, user: AbstractBaseUser, **more: Any) -> None:
    """Note in the session, which got a new key just now, how and from where its member signed in."""
    now = time.time()
    request.session[SIGN_IN] = {
        "at": now,
        "until": break_glass.ends_at(user, at=timezone.now()).timestamp(),
        "how": how_signed_in(request, user),
        "address": request.META.get("REMOTE_ADDR") or None,
        "agent": short_agent(request.META.get("HTTP_USER_AGENT", "")),
    }
    request.session[CONFIRMED] = now
    request.session.save()
    MemberSession.objects.filter(session_key=request.session.session_key).update(seen_at=timezone.now())
    MemberSession.objects.filter(expire_date__lt=timezone.now()).delete()


def over(sender: object, request: HttpRequest, user: AbstractBaseUser | None, **more: Any) -> None:
    """Somebody signs out."""
    if user is not None:
        record("sign_out", target=f"member:{user.pk}")
        break_glass.ended(user, at=timezone.now())


def confirmed(sender: object, request: HttpRequest, user: AbstractBaseUser, method: str, **more: Any) -> None:
    """One step of proving who one is was taken; those of who is signed in already count from now."""
    if more.get("reauthenticated"):
        request.session[CONFIRMED] = time.time()
        record("reauthenticated", target=f"member:{user.pk}", detail={"by": WAYS.get(more.get("type", method), method)})


def password_changed(sender: object, request: HttpRequest, user: Any, **more: Any) -> None:
    """Who changed a password stays; every other session of theirs ends."""
    record("password_changed", target=f"member:{user.pk}")
    end_all(user, at=timezone.now(), keep=request.session.session_key or "")


def how_signed_in(request: HttpRequest, user: AbstractBaseUser) -> str:
    """Return such as "password and code"."""
    taken = [WAYS.get(step.get("type", step["method"]), step["method"]) for step in get_authentication_records(request, user)]
    return " and ".join(dict.fromkeys(taken))[:60]


def short_agent(agent: str) -> str:
    """Return such as "Chrome 141 on Windows", as far as the browser tells."""
    system = next((name for name in SYSTEMS if name in agent), "")
    for mark, name in BROWSERS:
        if found := re.search(rf"{mark}\w*/(\d+)", agent):
            return f"{name} {found[1]}" + (f" on {'macOS' if system == 'Mac OS X' else system}" if system else "")
    return agent[:60] or "unknown"


def sessions_of(member: Member, *, at: datetime) -> list[MemberSession]:
    """Return those that are signed in, the last used first."""
    return list(MemberSession.objects.filter(member=member, expire_date__gt=at).order_by("-seen_at"))


@transaction.atomic
def end(session: MemberSession, *, at: datetime, reason: str = "") -> None:
    """Sign one session out: its pages at once, its live socket with the hub's next look. Does nothing for one that ended already."""
    if not session.delete()[0]:
        return
    record("session_ended", target=f"member:{session.member_id}", reason=reason, detail=facts_of(session))
    if session.member is not None:
        break_glass.ended(session.member, at=at)


@transaction.atomic
def end_all(member: Member, *, at: datetime, keep: str = "") -> int:
    """Sign out every session of a member but one; return how many."""
    found = list(MemberSession.objects.filter(member=member).exclude(session_key=keep))
    for session in found:
        end(session, at=at)
    return len(found)


def facts_of(session: MemberSession) -> dict[str, str]:
    begun_at = session.begun_at.isoformat() if session.begun_at else ""
    return {"begun_at": begun_at, "address": session.address or "", "agent": session.agent, "how": session.how}
