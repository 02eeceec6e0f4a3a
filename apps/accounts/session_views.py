"""The screen of a member's sessions: where each is from, since when, last seen, how signed in; and their end."""

from hashlib import sha256

from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts import sessions
from apps.accounts.guard import is_confirmed
from apps.accounts.models import Member, MemberSession
from apps.accounts.second_factor import is_entitled


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def own_sessions(request: HttpRequest) -> HttpResponse:
    return sessions_page(request, Member.objects.get(pk=request.user.pk or 0))


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def sessions_of_member(request: HttpRequest, username: str) -> HttpResponse:
    """For who administers members; others are told as of a name that there is not."""
    may = request.user.is_staff and request.user.has_perm("accounts.change_member") and is_entitled(request.user.pk or 0)
    member = get_object_or_404(Member.objects.all() if may else Member.objects.none(), username=username)
    if not is_confirmed(request):
        raise ReauthenticationRequired
    return sessions_page(request, member)


@transaction.atomic
def sessions_page(request: HttpRequest, member: Member) -> HttpResponse:
    own = request.session.session_key or ""
    if request.method == "POST":
        end_chosen(member, request.POST.get("end", ""), own)
        return HttpResponseRedirect(request.path)
    found = sessions.sessions_of(member, at=timezone.now())
    rows = [{"session": session, "id": public_id(session), "is_own": session.session_key == own} for session in found]
    return render(request, "account/sessions.html", {"member": member, "rows": rows, "is_own": member.pk == request.user.pk})


def end_chosen(member: Member, chosen: str, own: str) -> None:
    if chosen == "others":
        sessions.end_all(member, at=timezone.now(), keep=own)
    for session in sessions.sessions_of(member, at=timezone.now()):
        if chosen == public_id(session):
            sessions.end(session, at=timezone.now())


def public_id(session: MemberSession) -> str:
    """Return what a page may call a session: its key would let whoever reads the page in."""
    return sha256(f"rtcc session {session.session_key}".encode()).hexdigest()[:20]
