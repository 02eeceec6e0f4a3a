"""What administrators do with rules and holds, and what time does to them. Each act is audited in its own transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.gis.geos import Polygon
from django.db import connection, transaction

from apps.accounts.models import Agency, Instance, Member, Membership, Role
from apps.accounts.second_factor import is_entitled
from apps.audit.operations import record
from apps.geo.clock import EPOCH
from apps.retention.copying import copy_at_once
from apps.retention.models import HeldRow, Hold, Rule
from apps.retention.registry import classes

DEFAULT_SOURCE = "Default of RTCC Geo, no law: to be replaced by your agency's records schedule"
KEPT_UNTIL_NOW = "Kept as before the upgrade, until the default begins or you make a rule"
GRACE = timedelta(days=7)
UNCONFIRMED_FOR = timedelta(days=7)
MOST_HELD = 500_000
LONGEST_KEEP = timedelta(days=36_500)
FORGOTTEN_AT_ONCE = 20_000


class BadRule(Exception):
    """A rule that cannot be; the text names the part and the reason."""


class BadHold(Exception):
    """A hold that cannot be, or not any more; the text names the part and the reason."""


class NotAllowed(Exception):
    """The member does not administer that agency."""


class SecondPersonNeeded(Exception):
    """Who asked for a hold may not confirm it."""


def administers_all(member: Member) -> bool:
    """Whether the member administers the whole server. As everywhere, no role counts without what the instance asks of members."""
    return member.is_superuser and is_entitled(member.pk)


def administered(member: Member) -> list[int]:
    """Return the ids of the agencies that the member administers, ascending."""
    if not is_entitled(member.pk):
        return []
    if member.is_superuser:
        return list(Agency.objects.order_by("pk").values_list("pk", flat=True))
    own = Membership.objects.filter(member=member, role=Role.ADMINISTRATOR)
    return sorted(set(own.values_list("agency_id", flat=True)))


def require_administrator(member: Member, agency: Agency | None) -> None:
    """Raises NotAllowed. The rules of every agency are for those who administer the whole server."""
    if agency is None and not administers_all(member):
        raise NotAllowed("rules of every agency are made by an administrator of the whole server")
    if agency is not None and agency.pk not in administered(member):
        raise NotAllowed(f"you do not administer {agency.name}")


@transaction.atomic
def give_default_rules(*, at: datetime, real: datetime) -> None:
    """Give each class that has no rule of every agency yet the one that the product starts with, valid since ever. An instance that
    is older than a day has data that was kept until now: there it begins in a week, so that somebody can make another before."""
    have = set(Rule.objects.filter(agency=None).values_list("data_class", flat=True))
    new = [one for one in classes().values() if one.name not in have]
    is_upgrade = bool(new) and Instance.objects.filter(created_at__lt=real - timedelta(days=1)).exists()
    for one in new:
        if is_upgrade and not one.kept_before:
            _give_default(one.name, LONGEST_KEEP, KEPT_UNTIL_NOW, valid_from=EPOCH, at=at)
            _give_default(one.name, one.keep, DEFAULT_SOURCE, valid_from=at + GRACE, at=at)
        else:
            _give_default(one.name, one.keep, DEFAULT_SOURCE, valid_from=EPOCH, at=at)


def _give_default(name: str, keep: timedelta, source: str, *, valid_from: datetime, at: datetime) -> None:
    Rule.objects.create(data_class=name, keep=keep, legal_source=source, valid_from=valid_from, made_at=at)
    detail = {"keep_s": _seconds(keep), "valid_from": valid_from.isoformat()}
    record("retention_rule_made", target=f"data_class:{name}", reason=source, detail=detail)


def _seconds(keep: timedelta | None) -> int | None:
    return None if keep is None else round(keep.total_seconds())


def check_rule(
    *, data_class: str, agency: Agency | None, keep: timedelta | None, legal_source: str, valid_from: datetime, at: datetime
) -> None:
    """Raises BadRule."""
    if data_class not in classes():
        raise BadRule(f'class: there is no class of data called "{data_class}"')
    one = classes()[data_class]
    if agency is not None and not one.by_agency:
        raise BadRule(f"agency: {one.title.lower()} are of no agency; make a rule of every agency")
    if keep is None and agency is None:
        raise BadRule("keep: say for how long; only an agency's own rule can be ended")
    if keep is not None and not one.shortest <= keep <= LONGEST_KEEP:
        raise BadRule(f"keep: {one.title.lower()} are kept at least {one.shortest.days} days and at most {LONGEST_KEEP.days}")
    if len(legal_source.strip()) < 3:
        raise BadRule("legal source: name the law, order or records schedule that the rule follows")
    if valid_from < at - timedelta(minutes=10):
        raise BadRule("valid from: a rule cannot have begun before it is made")


@transaction.atomic
def make_rule(
    *, data_class: str, agency: Agency | None, keep: timedelta | None, legal_source: str, valid_from: datetime, by: Member, at: datetime
) -> Rule:
    """Make the rule of a class from a time on. Raises BadRule, NotAllowed."""
    require_administrator(by, agency)
    check_rule(data_class=data_class, agency=agency, keep=keep, legal_source=legal_source, valid_from=valid_from, at=at)
    rule = Rule.objects.create(
        data_class=data_class, agency=agency, keep=keep, legal_source=legal_source.strip()[:300], valid_from=valid_from, made_by=by,
        made_by_name=by.get_username(), made_at=at,
    )  # fmt: skip
    record(
        "retention_rule_made", target=f"data_class:{data_class}", agency_id=agency.pk if agency else None, reason=rule.legal_source,
        detail={"rule": rule.pk, "keep_s": _seconds(keep), "valid_from": valid_from.isoformat()},
    )  # fmt: skip
    return rule


@transaction.atomic
def ask_hold(
    *, case_number: str, reason: str, agency: Agency, data_classes: Sequence[str], starts_at: datetime, ends_before: datetime | None,
    hold_until: datetime, by: Member, at: datetime, identity: str = "", area: Polygon | None = None,
) -> Hold:  # fmt: skip
    """Ask for a hold and copy what matches at once, since it could age out before a second person confirms.
    Raises BadHold, NotAllowed."""
    require_administrator(by, agency)
    _check_hold(case_number, reason, data_classes, starts_at, ends_before, hold_until, at)
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE retention_hold IN SHARE ROW EXCLUSIVE MODE")
    hold = Hold.objects.create(
        case_number=case_number.strip()[:80], reason=reason.strip()[:300], agency=agency, classes=list(data_classes), starts_at=starts_at,
        ends_before=ends_before, identity=identity.strip(), area=area, asked_by=by, asked_at=at, hold_until=hold_until,
    )  # fmt: skip
    copied = copy_at_once(hold, at=at)
    if copied > MOST_HELD:
        raise BadHold(f"time: {copied} rows match, and a hold begins with at most {MOST_HELD}; narrow it by time, device or area")
    why = f"case {hold.case_number}: {hold.reason}"
    record("legal_hold_asked", target=f"hold:{hold.pk}", agency_id=agency.pk, count=copied, reason=why)
    return hold


def _check_hold(
    case_number: str, reason: str, data_classes: Sequence[str], starts_at: datetime, ends_before: datetime | None, until: datetime,
    at: datetime,
) -> None:  # fmt: skip
    unknown = sorted(set(data_classes) - set(classes()))
    problems = {
        "case number: a hold belongs to a case": not case_number.strip(),
        "reason: say why this must be kept": not reason.strip(),
        "classes: choose what to hold": not data_classes,
        f"classes: there is no class of data called {', '.join(unknown)}": unknown,
        "time: the end lies before the beginning": ends_before is not None and ends_before <= starts_at,
        "hold until: a hold ends in the future": until <= at,
    }
    for problem, is_so in problems.items():
        if is_so:
            raise BadHold(problem)


@transaction.atomic
def confirm_hold(*, hold: Hold, by: Member, at: datetime) -> None:
    """A second administrator agrees. What came since the hold was asked for is copied when it goes or is given out, however much it
    is: nothing but time and people ends a hold. Raises SecondPersonNeeded, NotAllowed, BadHold."""
    hold = Hold.objects.select_for_update(of=("self",)).get(pk=hold.pk)
    require_administrator(by, hold.agency)
    if by.pk == hold.asked_by_id:
        raise SecondPersonNeeded("who asked for a hold cannot confirm it: another administrator must")
    if hold.released_at is not None:
        raise BadHold("this hold has ended")
    if hold.confirmed_at is not None:
        raise BadHold("this hold is confirmed already")
    hold.confirmed_by, hold.confirmed_at = by, at
    hold.save(update_fields=["confirmed_by", "confirmed_at"])
    count = HeldRow.objects.filter(hold=hold).count()
    record("legal_hold_confirmed", target=f"hold:{hold.pk}", agency_id=hold.agency_id, count=count, reason=f"case {hold.case_number}")


@transaction.atomic
def extend_hold(*, hold: Hold, until: datetime, reason: str, by: Member, at: datetime) -> None:
    """Raises NotAllowed, BadHold."""
    hold = Hold.objects.select_for_update(of=("self",)).get(pk=hold.pk)
    require_administrator(by, hold.agency)
    if hold.released_at is not None:
        raise BadHold("this hold has ended")
    if until <= max(at, hold.hold_until):
        raise BadHold("hold until: the new end must lie after the present one")
    record(
        "legal_hold_extended", target=f"hold:{hold.pk}", agency_id=hold.agency_id, reason=reason.strip() or f"case {hold.case_number}",
        detail={"from": hold.hold_until.isoformat(), "to": until.isoformat()},
    )  # fmt: skip
    hold.hold_until = until
    hold.save(update_fields=["hold_until"])


def release_hold(*, hold: Hold, reason: str, by: Member, at: datetime) -> None:
    """End a hold; its copies are gone within a minute. Raises NotAllowed, BadHold."""
    require_administrator(by, hold.agency)
    if not reason.strip():
        raise BadHold("reason: say why the hold ends")
    _release(hold, reason.strip(), at=at)


@transaction.atomic
def _release(hold: Hold, reason: str, *, at: datetime) -> None:
    hold = Hold.objects.select_for_update(of=("self",)).get(pk=hold.pk)
    if hold.released_at is not None:
        raise BadHold("this hold has ended")
    hold.released_at, hold.released_why = at, reason[:300]
    hold.save(update_fields=["released_at", "released_why"])
    count = HeldRow.objects.filter(hold=hold).count()
    record("legal_hold_released", target=f"hold:{hold.pk}", agency_id=hold.agency_id, count=count, reason=reason)


def end_holds(*, at: datetime) -> None:
    """End what nobody confirmed in time, and what has come to its end."""
    for hold in Hold.objects.filter(released_at=None, confirmed_at=None, asked_at__lt=at - UNCONFIRMED_FOR):
        _release(hold, f"no second person confirmed it within {UNCONFIRMED_FOR.days} days", at=at)
    for hold in Hold.objects.filter(released_at=None, hold_until__lte=at):
        _release(hold, "it came to its end", at=at)


def released_holds() -> dict[UUID, Any]:
    return dict(Hold.objects.exclude(released_at=None).values_list("pk", "released_at"))


def release_again(released: Mapping[UUID, datetime], *, at: datetime) -> None:
    """Release the holds that had been released when a backup was restored that does not know it."""
    for hold in Hold.objects.filter(pk__in=list(released), released_at=None):
        _release(hold, "it had been released before the backup was restored", at=at)


def forget_released() -> int:
    """Remove copies of holds that ended; return how many may be left."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM retention_heldrow WHERE id IN (SELECT row.id FROM retention_heldrow row JOIN retention_hold hold"
            " ON hold.id = row.hold_id WHERE hold.released_at IS NOT NULL LIMIT %s)", [FORGOTTEN_AT_ONCE],
        )  # fmt: skip
        return int(cursor.rowcount) if cursor.rowcount >= FORGOTTEN_AT_ONCE else 0
