"""Reads of the audit for who reviews it: entries of agencies that one administers, and of one's members where no agency is named."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from apps.accounts.models import Agency, Member, Membership, Role
from apps.audit.models import ChainState, Entry, Review
from apps.console.review.sentences import UNUSUAL
from apps.console.review.weeks import Week, ended_weeks, zone_of

PAGE = 50
MOST_UNUSUAL = 20
WEEKS_LOOKED_BACK = 8
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9998, 12, 31)
WORDS = ("act", "member", "target", "address", "day")


class NotForReview(Exception):
    """The member reviews no audit, or not that agency's."""


class BadFilter(ValueError):
    """A filter cannot be understood."""


@dataclass(frozen=True)
class Scope:
    """Whose entries: those of one agency, or (None) of the whole instance."""

    agency: Agency | None
    others: Sequence[Agency]
    whole: bool

    @property
    def agency_id(self) -> int | None:
        return self.agency.pk if self.agency else None

    @property
    def name(self) -> str:
        return self.agency.name if self.agency else "the whole instance"


@dataclass(frozen=True)
class Filters:
    """What the reviewer looks for; `before` is the (time, id) of the last entry of the page before."""

    act: str = ""
    member: str = ""
    target: str = ""
    address: str = ""
    day: date | None = None
    before: tuple[datetime, int] | None = None

    def told(self) -> dict[str, str]:
        return {name: str(getattr(self, name)) for name in WORDS if getattr(self, name)}


@dataclass
class Found:
    """One page of a week."""

    entries: list[Entry] = field(default_factory=list)
    unusual: list[Entry] = field(default_factory=list)
    counts: list[tuple[str, int]] = field(default_factory=list)
    more: tuple[datetime, int] | None = None


def scope_of(*, member: Member, agency: str) -> Scope:
    """Return what the member may review, narrowed to an agency's slug when there is one. Raises NotForReview."""
    held = Membership.objects.filter(member=member, role=Role.ADMINISTRATOR).values("agency")
    may = list((Agency.objects if member.is_superuser else Agency.objects.filter(pk__in=held)).defer("area").order_by("name"))
    chosen = next((one for one in may if one.slug == agency), None)
    if (agency and chosen is None) or not (may or member.is_superuser):
        raise NotForReview(f"{member.username} reviews no such audit")
    if chosen is None and not member.is_superuser:
        chosen = may[0]
    return Scope(chosen, may, member.is_superuser)


def read_filters(query: dict[str, str]) -> Filters:
    """Raises BadFilter."""
    words = {name: query.get(name, "").strip()[:200] for name in ("act", "member", "target", "address")}
    try:
        day = read_day(query["day"]) if query.get("day") else None
        address = str(ip_address(words.pop("address"))) if words["address"] else words.pop("address")
        before = _read_before(query["before"]) if query.get("before") else None
    except (ValueError, OverflowError) as error:
        raise BadFilter(f"a filter cannot be read: {error}") from error
    return Filters(**words, address=address, day=day, before=before)


def read_day(text: str) -> date:
    """Return a day whose week is in the calendar in every zone. Raises ValueError."""
    day = date.fromisoformat(text)
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"{day} is not between {FIRST_DAY} and {LAST_DAY}")
    return day


def _read_before(text: str) -> tuple[datetime, int]:
    micros, _, number = text.partition(".")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(micros)), int(number)


def write_before(before: tuple[datetime, int]) -> str:
    return f"{(before[0] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)}.{before[1]}"


def entries_of(scope: Scope, week: Week) -> QuerySet[Entry]:
    found = Entry.objects.filter(written_at__gte=week.begins, written_at__lt=week.ends)
    if scope.agency is None:
        return found
    own = Membership.objects.filter(agency=scope.agency).values("member_id")
    nobodys = Q(agency_id=None, member_id__in=own) & ~Q(detail__has_key="agencies")
    return found.filter(Q(agency_id=scope.agency.pk) | Q(detail__agencies__contains=[scope.agency.pk]) | nobodys)


def week_page(*, scope: Scope, week: Week, filters: Filters) -> Found:
    """Return a page of a week's entries, newest first, with what was unusual in it and how often each act was done."""
    week_entries = entries_of(scope, week)
    wanted = _filtered(week_entries, filters, week)
    page = list(wanted.order_by("-written_at", "-id")[: PAGE + 1])
    unusual = sorted(week_entries.filter(act__in=UNUSUAL).order_by("-written_at", "-id")[: 10 * MOST_UNUSUAL], key=_rank)
    counts = week_entries.values_list("act").annotate(times=Count("id")).order_by("-times", "act")
    last = page[PAGE - 1] if len(page) > PAGE else None
    return Found(page[:PAGE], unusual[:MOST_UNUSUAL], list(counts), (last.written_at, last.pk) if last else None)


def _rank(entry: Entry) -> tuple[int, datetime]:
    return UNUSUAL.index(entry.act), entry.written_at


def _filtered(entries: QuerySet[Entry], filters: Filters, week: Week) -> QuerySet[Entry]:
    exact: dict[str, Any] = {"act": filters.act, "address": filters.address, "member_name__icontains": filters.member}
    found = entries.filter(**{name: value for name, value in exact.items() if value})
    if filters.target:
        found = found.filter(target__icontains=filters.target)
    if filters.day:
        begins = datetime.combine(filters.day, datetime.min.time(), week.zone)
        found = found.filter(written_at__gte=begins, written_at__lt=begins + timedelta(days=1))
    if filters.before:
        at, number = filters.before
        found = found.filter(Q(written_at__lt=at) | Q(written_at=at, id__lt=number))
    return found


def reviews_of(scope: Scope, week: Week) -> list[Review]:
    return list(Review.objects.filter(agency_id=scope.agency_id, week=week.monday).order_by("at"))


def overdue(scope: Scope, *, now: datetime) -> list[Week]:
    """Return the weeks that have ended and nobody signed off, of the last WEEKS_LOOKED_BACK, the newest first."""
    first = Entry.objects.aggregate(first=Min("written_at"))["first"]
    if first is None:
        return []
    zone = zone_of(scope.agency.time_zone if scope.agency else "")
    weeks = ended_weeks(first=first, now=now, zone=zone, most=WEEKS_LOOKED_BACK)
    signed = set(Review.objects.filter(agency_id=scope.agency_id, week__in=[week.monday for week in weeks]).values_list("week", flat=True))
    return [week for week in weeks if week.monday not in signed]


def names_of(entries: Sequence[Entry]) -> dict[int, str]:
    """Return the names of the members that entries name, by id."""
    ids = {entry.member_id for entry in entries if entry.member_id}
    ids |= {int(entry.target.partition(":")[2]) for entry in entries if entry.target.startswith("member:") and entry.target[7:].isdigit()}
    return {member.pk: str(member) for member in Member.objects.filter(pk__in=ids)}


def chain_state() -> ChainState | None:
    return ChainState.objects.first()
