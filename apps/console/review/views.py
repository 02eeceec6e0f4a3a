"""`/audit/`: a week of the audit in plain words, and its sign-off."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.models import Member
from apps.audit.models import Entry
from apps.audit.operations import record
from apps.audit.reviewing import WeekNotOver, sign_off
from apps.console.review import queries
from apps.console.review.queries import BadFilter, Filters, Found, NotForReview, Scope
from apps.console.review.sentences import UNUSUAL, sentence
from apps.console.review.weeks import Week, is_out_of_hours, week_of, zone_of
from apps.layers.registry import catalog


@require_safe
@never_cache
@login_required
def audit_page(request: HttpRequest) -> HttpResponse:
    """Show a page of a week. That it was read is written first; when that cannot be, nothing is shown."""
    now, query = timezone.now(), request.GET
    scope = _scope(request, query.get("agency", ""))
    week = _week(query.get("week", ""), scope, now)
    try:
        filters, wrong = queries.read_filters(query.dict()), ""
    except BadFilter as error:
        filters, wrong = Filters(), str(error)
    try:
        with transaction.atomic():
            found = queries.week_page(scope=scope, week=week, filters=filters)
            facts = {"week": week.monday.isoformat(), **filters.told()}
            record("audit_read", target="audit", agency_id=scope.agency_id, count=len(found.entries), detail=facts)
    except DatabaseError:
        return render(request, "console/audit_closed.html", status=503)
    return render(request, "console/audit.html", _context(query, scope, week, filters, found, now) | {"wrong": wrong})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def sign_off_week(request: HttpRequest) -> HttpResponse:
    """Who was asked on the way who they are comes back by GET: to the page, to do it again."""
    if request.method != "POST":
        return redirect("audit")
    now, said = timezone.now(), request.POST
    scope = _scope(request, said.get("agency", ""))
    week = _week(said.get("week", ""), scope, now)
    member = _member(request)
    try:
        sign_off(
            week=week.monday, ends=week.ends, agency_id=scope.agency_id, by_id=member.pk, by_name=str(member), at=now,
            note=said.get("note", ""), agency=scope.name,
        )  # fmt: skip
        messages.success(request, f"The week of {week.monday:%B %-d} is signed off.", extra_tags="review")
    except WeekNotOver:
        messages.error(request, "This week is not over. It can be signed off when it has ended.", extra_tags="review")
    slug = scope.agency.slug if scope.agency else ""
    return HttpResponseRedirect(f"{request.path.removesuffix('sign-off')}?week={week.monday}&agency={slug}")


def _member(request: HttpRequest) -> Member:
    if not isinstance(request.user, Member):
        raise PermissionDenied
    return request.user


def _scope(request: HttpRequest, agency: str) -> Scope:
    try:
        return queries.scope_of(member=_member(request), agency=agency)
    except NotForReview as error:
        raise Http404("there is no audit that you review") from error


def _week(text: str, scope: Scope, now: datetime) -> Week:
    """Return the week that holds a day, or this week."""
    zone = zone_of(scope.agency.time_zone if scope.agency else "")
    try:
        day = queries.read_day(text) if text else now.astimezone(zone).date()
        return week_of(datetime.combine(day, datetime.min.time(), zone), zone)
    except ValueError as error:
        raise Http404("there is no such week") from error


def _context(query: QueryDict, scope: Scope, week: Week, filters: Filters, found: Found, now: datetime) -> dict[str, Any]:
    shown = [*found.entries, *found.unusual]
    members = queries.names_of(shown)
    layers = {name: layer.title for name, layer in catalog().items()}

    def row(entry: Entry) -> dict[str, Any]:
        who = members.get(entry.member_id or 0) or _whoever(entry)
        late = entry.act.startswith("break_glass") and is_out_of_hours(entry.written_at, week.zone)
        text = sentence(entry, who=who, layers=layers, members=members)
        return {"entry": entry, "text": text, "unusual": entry.act in UNUSUAL, "out_of_hours": late}

    state = queries.chain_state()
    return {
        "scope": scope, "week": week, "filters": filters, "found": found, "zone": week.zone.key,
        "rows": [row(entry) for entry in found.entries], "unusual": [row(entry) for entry in found.unusual],
        "counts": [{"act": act, "words": act.replace("_", " "), "times": times} for act, times in found.counts],
        "total": sum(times for _, times in found.counts),
        "is_over": week.ends <= now, "is_current": week.begins <= now < week.ends, "reviews": queries.reviews_of(scope, week),
        "overdue": [late for late in queries.overdue(scope, now=now) if late.monday != week.monday], "chain": state,
        "kept": _query(query, "before", "act"), "next": _next(query, found), "problems": state.problems if state else [],
    }  # fmt: skip


def _whoever(entry: Entry) -> str:
    """Return who acted where no member did."""
    if entry.road == "command":
        return f"{entry.member_name} at the command line"
    return entry.member_name or ("The server" if entry.road == "process" else "Somebody")


def _query(query: QueryDict, *without: str) -> str:
    kept = query.copy()
    for name in without:
        kept.pop(name, None)
    return kept.urlencode()


def _next(query: QueryDict, found: Found) -> str:
    """Return the query of the next page; empty when this is the last."""
    if found.more is None:
        return ""
    kept = query.copy()
    kept["before"] = queries.write_before(found.more)
    return kept.urlencode()
