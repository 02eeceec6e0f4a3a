"""`/retention/`: rules, holds and proofs, for administrators."""

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.instance import read_instance
from apps.accounts.models import Agency, Member
from apps.retention import board, export, operations, proof
from apps.retention.definition import Limit
from apps.retention.forms import HoldForm, ReasonForm, RuleForm, UntilForm
from apps.retention.models import HeldRow, Hold, Proof
from apps.retention.operations import BadHold, BadRule, NotAllowed, SecondPersonNeeded
from apps.retention.queries import older_by_day
from apps.retention.registry import classes, kept
from apps.retention.rules import before, rules_at
from apps.retention.wording import duration

NOT_YOURS = (NotAllowed, SecondPersonNeeded)
REFUSED = (BadHold, BadRule, *NOT_YOURS)
View = Callable[..., HttpResponse]


class Administrator:
    """Who asks, and the agencies that he administers."""

    def __init__(self, member: Member) -> None:
        self.member, self.agencies, self.every = member, operations.administered(member), operations.administers_all(member)

    def holds(self) -> Any:
        return Hold.objects.filter(agency_id__in=self.agencies).select_related("agency", "asked_by", "confirmed_by")

    def hold(self, id: UUID) -> Hold:
        found: Hold | None = self.holds().filter(pk=id).first()
        if found is None:
            raise Http404("there is no such hold")
        return found


def administrators(view: View) -> View:
    """Let administrators of an agency in; the view gets who asks and the instance's time."""

    @wraps(view)
    @never_cache
    @login_required
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        assert isinstance(request.user, Member)
        who = Administrator(request.user)
        if not who.agencies and not who.every:
            raise PermissionDenied
        return view(request, who, read_instance().clock.now(), *args, **kwargs)

    return guarded


@require_safe
@administrators
def overview(request: HttpRequest, who: Administrator, at: datetime) -> HttpResponse:
    lines, turn, real = board.board(who.agencies, at=at, real=timezone.now()), board.last_turn(), timezone.now()
    return render(request, "retention/overview.html", {
        "lines": lines, "turn": turn, "is_late": board.is_late(turn, real=real), "at": at, "kept": kept(),
        "turn_age_s": round((real - turn.ended_at).total_seconds()) if turn else None,
        "overdue": sum(line.overdue or 0 for line in lines), "uncounted": any(line.overdue is None for line in lines),
        "holds": who.holds().annotate(count=Count("rows")).order_by("released_at", "-asked_at")[:50],
        "days": _days(who),
    })  # fmt: skip


def _days(who: Administrator) -> Any:
    """Return the last days that are proved, with the sums of the agencies that the viewer administers."""
    mine = Proof.objects.filter(agency_id__in=[0, *who.agencies])
    sums = mine.values("day", "generation").annotate(removed=Sum("removed"), kept=Sum("kept"), overdue=Sum("overdue"), held=Sum("held"))
    return sums.order_by("-generation", "-day")[:14]


@administrators
def new_rule(request: HttpRequest, who: Administrator, at: datetime) -> HttpResponse:
    """A rule is made in two steps: the second says what it removes."""
    given = request.POST if request.method == "POST" else None
    form = RuleForm(given, agencies=who.agencies, every=who.every, initial={"data_class": request.GET.get("class", "")})
    if request.method == "POST" and form.is_valid():
        facts = {**form.cleaned_data, "valid_from": form.cleaned_data["valid_from"] or at}
        try:
            if "confirmed" in request.POST:
                operations.make_rule(**facts, by=who.member, at=at)
                return redirect("retention")
            operations.require_administrator(who.member, facts["agency"])
            operations.check_rule(**facts, at=at)
            return render(request, "retention/confirm_rule.html", {"form": form, **_consequence(facts, at=at)})
        except REFUSED as error:
            form.add_error(None, str(error))
    return render(request, "retention/rule.html", {"form": form}, status=400 if form.errors else 200)


def _consequence(facts: dict[str, Any], *, at: datetime) -> dict[str, Any]:
    """Return what a rule will remove that the present one keeps, by day."""
    one, agency = classes()[facts["data_class"]], facts["agency"]
    rules = rules_at(at)
    whose = [agency.pk] if agency else [*Agency.objects.values_list("pk", flat=True), None] if one.by_agency else [None]
    keep = facts["keep"] if facts["keep"] is not None else rules.plain(one.name, None).keep
    # An agency with a rule of its own keeps that one.
    touched = [id for id in whose if agency or not rules.plain(one.name, id).own]
    when = timezone.now() if one.clock == "real" else max(at, facts["valid_from"])
    try:
        days = older_by_day(one, [Limit(id, before(when, keep)) for id in touched]) if touched else {}
    except OperationalError:
        days = None
    now = rules.of(one.name, agency.pk if agency else None)
    return {
        "data_class": one, "agency": agency, "keep": duration(keep), "now": duration(now.keep), "facts": facts, "days": days,
        "count": sum(days.values()) if days is not None else None, "shown": list(days.items())[-60:] if days else [],
        "is_shorter": keep < now.keep, "limited_by": classes()[now.limited_by].title if now.limited_by else "",
    }  # fmt: skip


@administrators
def new_hold(request: HttpRequest, who: Administrator, at: datetime) -> HttpResponse:
    form = HoldForm(request.POST if request.method == "POST" else None, agencies=who.agencies)
    if request.method == "POST" and form.is_valid():
        facts = form.cleaned_data
        area = facts.pop("box")
        try:
            return redirect("retention-hold", operations.ask_hold(**facts, area=area, by=who.member, at=at).pk)
        except REFUSED as error:
            form.add_error(None, str(error))
        except OperationalError:
            form.add_error(None, "time: so much matches that it cannot be copied in 25 s; narrow it by time, device or area")
    return render(request, "retention/new_hold.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
@administrators
def hold(request: HttpRequest, who: Administrator, at: datetime, id: UUID) -> HttpResponse:
    return _hold_page(request, who, at, who.hold(id))


def _hold_page(request: HttpRequest, who: Administrator, at: datetime, found: Hold, problem: object = "") -> HttpResponse:
    counts = HeldRow.objects.filter(hold=found).values("table").annotate(count=Count("pk")).order_by("table")
    words = {
        "hold": found, "counts": counts, "titles": [classes()[name].title for name in found.classes if name in classes()], "at": at,
        "problem": problem, "may_confirm": found.asked_by_id != who.member.pk, "until": UntilForm(), "why": ReasonForm(),
        "lapses_at": found.asked_at + operations.UNCONFIRMED_FOR,
    }  # fmt: skip
    return render(request, "retention/hold.html", words, status=403 if isinstance(problem, NOT_YOURS) else 409 if problem else 200)


def by_post(view: View) -> View:
    """An act. Who was asked on the way who they are comes back by GET: to the hold's page, to do it again."""

    @wraps(view)
    @require_http_methods(["GET", "HEAD", "POST"])
    def posted(request: HttpRequest, id: UUID, **kwargs: Any) -> HttpResponse:
        return view(request, id=id, **kwargs) if request.method == "POST" else redirect("retention-hold", id)

    return posted


@by_post
@administrators
def act_on_hold(request: HttpRequest, who: Administrator, at: datetime, id: UUID, act: str) -> HttpResponse:
    found = who.hold(id)
    problem: object = ""
    try:
        if act == "confirm":
            operations.confirm_hold(hold=found, by=who.member, at=at)
        elif act == "release":
            operations.release_hold(hold=found, reason=request.POST.get("reason", ""), by=who.member, at=at)
        else:
            problem = _extend(request, found, who, at)
    except REFUSED as error:
        problem = error
    return redirect("retention-hold", id) if not problem else _hold_page(request, who, at, who.hold(id), problem)


def _extend(request: HttpRequest, found: Hold, who: Administrator, at: datetime) -> str:
    form = UntilForm(request.POST)
    if not form.is_valid():
        return "give a new end and a reason"
    operations.extend_hold(hold=found, until=form.cleaned_data["until"], reason=form.cleaned_data["reason"], by=who.member, at=at)
    return ""


@by_post
@administrators
def export_hold(request: HttpRequest, who: Administrator, at: datetime, id: UUID) -> HttpResponse:
    """The copies, as lines of JSON. By POST, since it is an act that is audited."""
    found = who.hold(id)
    try:
        lines = export.lines(hold=found, by=who.member, at=at)
    except REFUSED as error:
        return _hold_page(request, who, at, found, error)
    answer = StreamingHttpResponse(lines, content_type="application/x-ndjson")
    answer["Content-Disposition"] = f'attachment; filename="hold-{found.pk}.jsonl"'
    return answer  # type: ignore[return-value]


@require_safe
@administrators
def day(request: HttpRequest, who: Administrator, at: datetime, generation: int, day: date) -> HttpResponse:
    lines = Proof.objects.filter(day=day, generation=generation, agency_id__in=[0, *who.agencies]).order_by("pk")
    if not lines:
        raise Http404("there is no proof of that day")
    names = dict(Agency.objects.values_list("pk", "name"))
    shown = [(line, classes()[line.data_class].title if line.data_class in classes() else line.data_class,
              names.get(line.agency_id, "none")) for line in lines]  # fmt: skip
    return render(request, "retention/day.html", {"day": day, "lines": shown, "changed": proof.first_changed(), "first": lines[0]})
