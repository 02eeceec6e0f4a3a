"""What the page of retention shows: the rules in force, what is overdue, and when somebody last looked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError

from apps.accounts.models import Agency
from apps.geo.clock import EPOCH
from apps.retention.definition import DataClass
from apps.retention.models import Rule, Turn
from apps.retention.queries import overdue
from apps.retention.registry import classes
from apps.retention.rules import InForce, Rules, rules_at
from apps.retention.turn import Work
from apps.retention.wording import duration

LATE_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class RuleLine:
    """A rule in force as the page says it."""

    agency: str
    keep: str
    legal_source: str
    since: datetime | None
    limited_by: str


@dataclass(frozen=True)
class ClassLines:
    data_class: DataClass
    lines: list[RuleLine]
    overdue: int | None
    """None: there is more than could be counted in the time that a page may take."""
    coming: list[Rule]

    @property
    def rows(self) -> int:
        return len(self.lines) + len(self.coming)


def board(agencies: list[int], *, at: datetime, real: datetime) -> list[ClassLines]:
    """Return each class with its rule of every agency, and those of these agencies that differ."""
    rules, work = rules_at(at), Work.plan(at, real, None)
    named = dict(Agency.objects.filter(pk__in=agencies).order_by("name").values_list("pk", "name"))
    return [
        ClassLines(one, _lines(one, rules, named), _overdue(one, work), _coming(one, agencies, at)) for one in classes().values()
    ]


def _lines(one: DataClass, rules: Rules, named: dict[int, str]) -> list[RuleLine]:
    general = rules.of(one.name, None)
    lines = [_line("Every agency", general)]
    if one.by_agency:
        differing = [(name, rules.of(one.name, pk)) for pk, name in named.items()]
        lines += [_line(name, rule) for name, rule in differing if rule[:4] != general[:4]]
    return lines


def _line(whose: str, rule: InForce) -> RuleLine:
    since = None if rule.since == EPOCH else rule.since
    limited_by = classes()[rule.limited_by].title if rule.limited_by else ""
    return RuleLine(whose, duration(rule.keep), rule.legal_source, since, limited_by)


def _overdue(one: DataClass, work: Work) -> int | None:
    try:
        return overdue(one, work.limits[one.name]) if one.folder is None else 0
    except OperationalError:
        return None


def _coming(one: DataClass, agencies: list[int], at: datetime) -> list[Rule]:
    """Return the rules that will be in force later."""
    later = Rule.objects.filter(data_class=one.name, valid_from__gt=at).select_related("agency").order_by("valid_from")
    return [rule for rule in later if rule.agency_id is None or rule.agency_id in agencies]


def last_turn() -> Turn | None:
    return Turn.objects.first()


def is_late(turn: Turn | None, *, real: datetime) -> bool:
    """Whether retention has not come to its end for longer than it may take."""
    return turn is None or turn.finished_at is None or real - turn.finished_at > LATE_AFTER
