"""Weeks of the audit: from Monday, midnight in the agency's time zone."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Week:
    """`monday`: its first day; `zone`: whose midnight."""

    monday: date
    zone: ZoneInfo

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    @property
    def begins(self) -> datetime:
        return datetime.combine(self.monday, time(), self.zone)

    @property
    def ends(self) -> datetime:
        return datetime.combine(self.monday + WEEK, time(), self.zone)

    def before(self) -> "Week":
        return Week(self.monday - WEEK, self.zone)

    def after(self) -> "Week":
        return Week(self.monday + WEEK, self.zone)


def zone_of(name: str) -> ZoneInfo:
    """Return the agency's time zone; one that has none counts in UTC."""
    return ZoneInfo(name or "UTC")


def week_of(moment: datetime, zone: ZoneInfo) -> Week:
    day = moment.astimezone(zone).date()
    return Week(day - timedelta(days=day.weekday()), zone)


def ended_weeks(*, first: datetime, now: datetime, zone: ZoneInfo, most: int) -> list[Week]:
    """Return the weeks that have ended since `first`, the newest first, `most` at most."""
    week, oldest = week_of(now, zone).before(), week_of(first, zone)
    found: list[Week] = []
    while week.monday >= oldest.monday and len(found) < most:
        found.append(week)
        week = week.before()
    return found


def is_out_of_hours(moment: datetime, zone: ZoneInfo) -> bool:
    """Say whether it was at the weekend, before 7 or from 19 o'clock on."""
    local = moment.astimezone(zone)
    return local.weekday() >= 5 or not 7 <= local.hour < 19
