"""Which rule is in force for a class and an agency at an instance time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from apps.accounts.models import Agency
from apps.audit.retention import whole_day
from apps.geo.clock import EPOCH
from apps.retention.definition import DataClass, Limit
from apps.retention.registry import classes

IN_FORCE = """
    SELECT DISTINCT ON (data_class, agency_id) data_class, agency_id, keep, legal_source, valid_from, id
    FROM retention_rule WHERE valid_from <= %s ORDER BY data_class, agency_id, valid_from DESC, id DESC
"""
"""With psycopg and with Django alike; one value, the instance's time."""


class InForce(NamedTuple):
    """A rule as it holds for an agency. `limited_by`: the class whose shorter rule it follows, empty when it is its own."""

    keep: timedelta
    legal_source: str
    since: datetime
    rule_id: int | None
    own: bool
    limited_by: str = ""


@dataclass(frozen=True)
class Rules:
    """The rules in force at one time, by (class, agency id or None)."""

    given: dict[tuple[str, int | None], InForce]

    def plain(self, name: str, agency_id: int | None) -> InForce:
        """Return the class's own rule: the agency's, else that of every agency, else what the product starts with."""
        start = InForce(classes()[name].keep, "default of RTCC Geo", EPOCH, None, own=False)
        return self.given.get((name, agency_id)) or self.given.get((name, None)) or start

    def of(self, name: str, agency_id: int | None) -> InForce:
        """Return what holds: the class's own rule, or a shorter one (with its source) of a class that is inside it."""
        found = self.plain(name, agency_id)
        for inner in classes()[name].limited_by:
            other = self.of(inner, agency_id)
            if other.keep < found.keep:
                found = other._replace(limited_by=inner)
        return found

    def limits(self, data_class: DataClass, agencies: Sequence[int], at: datetime) -> list[Limit]:
        """Return before when what goes, for each agency and for what is of none."""
        whose = [*agencies, None] if data_class.by_agency else [None]
        befores = [before(at, self.of(data_class.name, agency).keep) for agency in whose]
        return [Limit(agency, whole_day(one) if data_class.whole_days else one) for agency, one in zip(whose, befores, strict=True)]


def before(at: datetime, keep: timedelta) -> datetime:
    """Return the time before which all goes; a rule that reaches beyond the calendar removes nothing."""
    return at - keep if keep < at - EPOCH else EPOCH


def rules_of(rows: Iterable[Sequence[Any]]) -> Rules:
    """Build the rules from rows of IN_FORCE."""
    return Rules({
        (name, agency): InForce(keep, source, since, number, own=agency is not None)
        for name, agency, keep, source, since, number in rows if keep is not None
    })  # fmt: skip


def rules_at(at: datetime) -> Rules:
    with connection.cursor() as cursor:
        cursor.execute(IN_FORCE, [at])
        return rules_of(cursor.fetchall())


def agencies() -> list[int]:
    return list(Agency.objects.order_by("pk").values_list("pk", flat=True))
