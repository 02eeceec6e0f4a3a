"""The clock goes on by three days: within a minute nothing older than its rule is in any table, answer or map; what is held is."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from apps.accounts.models import Agency, Instance, InstanceKind, Role
from apps.accounts.operations import join, make_member
from apps.demo.stage import Line, set_line
from apps.retention import operations
from apps.retention.models import HeldRow, Tally
from apps.retention.queries import overdue
from apps.retention.registry import classes
from apps.retention.rules import rules_at
from apps.tracks.models import Fix, Position
from tests.flows.conftest import django_on
from tests.flows.story import CENTER, Sender, Story, now, pool
from tests.running import RunningSystem, migrated_database, orm_on, wait_until

LON, LAT = CENTER
DAY = timedelta(days=1)
ZOOMS = (4, 10, 16)  # counted by month, counted by cell, one by one


@pytest.fixture
def system(settings: Settings, django_db_blocker: DjangoDbBlocker) -> Iterator[RunningSystem]:
    """A demonstration of its own, since its clock is moved."""
    with migrated_database("retention") as database, RunningSystem(database=database) as running:
        with django_db_blocker.unblock(), orm_on(database):
            Instance.objects.create(kind=InstanceKind.DEMO)
        running.start("web", "pipeline")
        with django_on(running, database, settings, django_db_blocker):
            yield running


def overdue_now() -> int:
    at = now() + 3 * DAY
    rules, whose = rules_at(at), list(Agency.objects.values_list("pk", flat=True))
    return sum(overdue(one, rules.limits(one, whose, at if one.clock == "instance" else now())) for one in classes().values())


def sent(story: Story) -> tuple[Sender, dict[str, Any]]:
    """A device, two calls and a fix from the future; the receipt of the fixes."""
    fixes, calls = story.sender("fixes"), story.sender("calls_json")
    good = {"id": "veh-1", "time": now().isoformat(), "lon": LON, "lat": LAT}
    receipt = fixes.post({"fixes": [good, good | {"id": "veh-2", "time": (now() + DAY).isoformat()}]})
    fixes.processed(receipt)
    calls.processed(calls.call("H-open", "active", lon=LON, lat=LAT))
    calls.processed(calls.call("H-closed", "closed", lon=LON, lat=LAT))
    return fixes, receipt


def test_nothing_older_than_its_rule_is_left_within_a_minute(system: RunningSystem) -> None:
    strict, plain = Story(system), Story(system)
    people = [make_member(username=f"chief-{number}", password="a long and unlikely phrase") for number in range(2)]
    for chief in people:
        join(member=chief, agency=strict.agency, role=Role.ADMINISTRATOR)
    for name in ("positions", "calls"):
        operations.make_rule(
            data_class=name, agency=strict.agency, keep=2 * DAY, legal_source="Order 12", valid_from=now(), by=people[0], at=now()
        )
    fixes, receipt = sent(strict)
    sent(plain)
    begun = now()
    opened = {"from": (begun - DAY).isoformat(), "to": (begun + DAY).isoformat()}
    assert [strict.in_tiles("calls", zoom, **opened) for zoom in ZOOMS] == [2, 2, 2]
    hold = operations.ask_hold(
        case_number="26-1", reason="subpoena", agency=strict.agency, data_classes=["calls", "positions"], starts_at=begun - DAY,
        ends_before=None, hold_until=begun + 90 * DAY, by=people[0], at=begun,
    )  # fmt: skip
    operations.confirm_hold(hold=hold, by=people[1], at=begun)
    with strict.look() as seen, plain.look() as other:
        seen.until(lambda: len(seen.units(strict.slug)) == 1, what="the device is on the map")
        assert set_line(Line(begun + 3 * DAY, begun), generation=1)
        wait_until(lambda: overdue_now() == 0, within_s=60, what="nothing is older than its rule", every_s=0.5)
        seen.until(lambda: not seen.units(strict.slug), what="the device has left the open map")
        other.until(lambda: len(other.units(plain.slug)) == 1, what="where the rule is longer it stays")
    assert {fix.track.agency_id for fix in Fix.objects.select_related("track")} == {plain.agency.pk}
    assert set(Position.objects.values_list("agency_id", flat=True)) == {plain.agency.pk}
    for story, devices in ((strict, 0), (plain, 1)):
        past = (begun + timedelta(seconds=1)).isoformat()
        assert len(story.features("units", at=past)) == len(story.features("units")) == devices
        assert [call["properties"]["number"] for call in story.features("calls", at=past)] == ["H-open"]
        for zoom in ZOOMS:
            assert story.in_tiles("units", zoom) == devices
            assert story.in_tiles("calls", zoom, **opened) == 1 + devices, "the open call, and where the rule is longer the closed one"
    assert pool.request("GET", f"{fixes.url}/receipts/{receipt['receipt']}", headers=fixes.headers()).status == 404
    copied = set(HeldRow.objects.values_list("table", flat=True))
    assert copied == {"tracks_fix", "tracks_position", "incidents_call", "incidents_callrevision"}
    assert Tally.objects.get(table="tracks_fix", agency_id=strict.agency.pk).removed == 1
    assert Tally.objects.get(table="incidents_call", agency_id=strict.agency.pk).removed == 1

    late = {"id": "veh-1", "time": begun.isoformat(), "lon": LON, "lat": LAT}
    answer = fixes.post({"fixes": [late, late | {"time": (now() + 3 * DAY).isoformat()}]})
    assert [(reject["index"], reject["reason"]) for reject in answer["rejected"]] == [(0, "too_old")]
    fixes.processed(answer)
    assert len(strict.features("units")) == 1, "it comes back to the map with its next place"
