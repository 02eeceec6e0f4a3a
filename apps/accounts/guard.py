"""What holds for every request of who is signed in: a locked desk reads nothing, and who administers proved of late who they are."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from allauth.account.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from apps.accounts import desks
from apps.accounts.models import MemberSession
from apps.accounts.second_factor import is_entitled
from apps.accounts.sessions import CONFIRMED
from apps.audit.operations import record

SEEN_EVERY = timedelta(seconds=15)
OPEN_WHILE_LOCKED = ("/accounts/session/", "/accounts/logout/", "/basemap.geojson", "/static/", "/favicon.ico")
FUTURE_S = 60.0
READS = ("GET", "HEAD", "OPTIONS")
NOT_TAKEN = "What you sent was not taken, since your last proof is too old: confirm that it is you, then send it again."


def is_confirmed(request: HttpRequest) -> bool:
    """Say whether the member proved within ACCOUNT_REAUTHENTICATION_TIMEOUT who they are."""
    age_s = time.time() - float(request.session.get(CONFIRMED, 0))
    return bool(-FUTURE_S < age_s < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


class Guard:
    """Comes last: after the session, its member and allauth."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        return look(request) or administering(request) or self.get_response(request)


def look(request: HttpRequest) -> HttpResponse | None:
    """Lock the session when the desk stood idle, note that it is used, and refuse when it is locked."""
    session: MemberSession | None = getattr(request.session, "row", None)
    if session is None:
        return None
    at = timezone.now()
    if session.locked_at is None and desks.must_lock(request, at=at):
        desks.lock(session.session_key, at=at)
        session.locked_at = at
    elif session.locked_at is None:
        touch(session, desks.used_at(request, at=at))
    if session.locked_at is None or request.path == "/" or request.path.startswith(OPEN_WHILE_LOCKED):
        return None
    if "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/"):
        return HttpResponseRedirect("/")
    return JsonResponse({"error": "locked", "detail": "this desk is locked; sign in over the page"}, status=423)


def touch(session: MemberSession, used_at: datetime | None) -> None:
    if used_at and (session.seen_at is None or used_at - session.seen_at > SEEN_EVERY):
        MemberSession.objects.filter(pk=session.pk).update(seen_at=used_at)


def administering(request: HttpRequest) -> HttpResponse | None:
    """Lead who has no second factor to setting it up, and ask again who administers."""
    administers = request.path.startswith(tuple(settings.ADMINISTRATION))
    if (administers or request.path == "/") and not is_entitled(request.user.pk or 0):
        if administers:
            record("administration_refused", target=f"path:{request.path}", reason="no second factor")
        return HttpResponseRedirect(reverse("mfa_index"))
    if administers and not is_confirmed(request):
        if request.method not in READS:
            messages.warning(request, NOT_TAKEN)
        return HttpResponseRedirect(f"{way_to_confirm(request)}?{urlencode({'next': request.get_full_path()})}")
    return None


def way_to_confirm(request: HttpRequest) -> str:
    """Return where a member proves again who they are: here, or at the issuer by which alone they come in."""
    ways = get_adapter().get_reauthentication_methods(request.user)
    known = None if ways else SocialAccount.objects.filter(user_id=request.user.pk).first()
    return reverse("openid_connect_login", args=[known.provider]) if known else reverse("account_reauthenticate")
