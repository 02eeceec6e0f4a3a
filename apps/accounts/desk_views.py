"""What the page asks about its own session: whether it is locked, when it ends, and to lock and unlock it. And the desk's class."""

from typing import Any

import orjson
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as passkeys
from allauth.mfa.webauthn.internal.flows import reauthenticate as reauthenticate_by_passkey
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import break_glass, desks
from apps.accounts.models import MemberSession, WorkstationClass

MOST_BYTES = 20_000


def signed_out() -> JsonResponse:
    return JsonResponse({"error": "not_authenticated", "detail": "not signed in"}, status=401)


@never_cache
@require_GET
def state(request: HttpRequest) -> JsonResponse:
    """Answer {"locked", "idle_s" (null: never locks), "ends_at", "notices": [sentences for who administers]}."""
    session = MemberSession.objects.filter(session_key=request.session.session_key, member_id=request.user.pk or 0).first()
    if session is None:
        return signed_out()
    idle = desks.idle_limit(request)
    return JsonResponse(
        {
            "locked": session.locked_at is not None,
            "idle_s": idle.total_seconds() if idle else None,
            "ends_at": session.expire_date,
            "notices": notices(request),
        }
    )


def notices(request: HttpRequest) -> list[str]:
    """Return what all who administer must know."""
    if not (request.user.is_authenticated and request.user.is_staff):
        return []
    return [f"{seal} was opened on {seal.opened_at:%Y-%m-%d at %H:%M} UTC. Seal it again." for seal in break_glass.broken_seals()]


@require_POST
def lock(request: HttpRequest) -> JsonResponse:
    """Lock this session, unless its desk never locks."""
    if not request.user.is_authenticated:
        return signed_out()
    if desks.idle_limit(request) is not None:
        desks.lock(request.session.session_key or "", at=timezone.now())
    return state_after(request)


def state_after(request: HttpRequest) -> JsonResponse:
    locked = MemberSession.objects.filter(session_key=request.session.session_key, locked_at__isnull=False).exists()
    return JsonResponse({"locked": locked})


@never_cache
@require_http_methods(["GET", "POST"])
def unlock(request: HttpRequest) -> JsonResponse:
    """GET answers {"name", "passkey": options or null}; POST takes {"password"} or {"credential"} of the same member."""
    if not request.user.is_authenticated:
        return signed_out()
    if request.method == "GET":
        return JsonResponse({"name": request.user.get_username(), "passkey": passkey_options(request)})
    if not ratelimit.consume(request, action="reauthenticate", user=request.user):
        return refused("Too many attempts. Wait a minute and try again.", 429)
    try:
        prove(request, said(request))
    except ValidationError as error:
        return refused(" ".join(error.messages), 403)
    desks.unlock(request.session.session_key or "", at=timezone.now())
    return state_after(request)


def passkey_options(request: HttpRequest) -> dict[str, Any] | None:
    if not Authenticator.objects.filter(user_id=request.user.pk, type=Authenticator.Type.WEBAUTHN).exists():
        return None
    return passkeys.begin_authentication(request.user)  # type: ignore[no-any-return]


def refused(detail: str, status: int) -> JsonResponse:
    return JsonResponse({"error": "refused", "detail": detail}, status=status)


def said(request: HttpRequest) -> dict[str, Any]:
    """Raises ValidationError."""
    try:
        body = orjson.loads(request.body[:MOST_BYTES])
    except orjson.JSONDecodeError as error:
        raise ValidationError("The request cannot be read.") from error
    if not isinstance(body, dict):
        raise ValidationError("The request cannot be read.")
    return body


def prove(request: HttpRequest, body: dict[str, Any]) -> None:
    """Take the password or the passkey of the session's own member. Raises ValidationError."""
    if "credential" in body:
        passkeys.parse_authentication_response(body["credential"])
        reauthenticate_by_passkey(request, passkeys.complete_authentication(request.user, body["credential"]))
    elif isinstance(body.get("password"), str) and get_adapter().reauthenticate(request.user, body["password"]):
        reauthenticate_by_password(request)
    else:
        raise ValidationError("This is not your password.")


@never_cache
@login_required
@transaction.atomic
def workstation(request: HttpRequest) -> HttpResponse:
    """Who administers says, at a desk, what kind of desk it is."""
    if not (request.user.is_staff and request.user.has_perm("accounts.change_workstationclass")):
        raise PermissionDenied
    if request.method == "POST":
        chosen = request.POST.get("class")
        response = HttpResponseRedirect(request.path)
        found = get_object_or_404(WorkstationClass, pk=chosen) if chosen and chosen.isdigit() else None
        desks.set_class(response, found, secure=settings.SESSION_COOKIE_SECURE)
        return response
    classes = WorkstationClass.objects.select_related("agency").order_by("agency__name", "name")
    return render(request, "account/workstation.html", {"classes": classes, "chosen": desks.class_of(request)})
