"""Setting up an instance, the first time and again."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts.instance import read_instance
from apps.accounts.models import Agency, Member, Role
from apps.accounts.operations import withdraw_grant
from apps.accounts.viewer import viewer_of
from apps.ingest.models import Source
from apps.layers.registry import catalog, names
from tests.world import give_app, make_agency

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def state_folder(settings: Any, tmp_path: Path) -> Path:
    settings.STATE_FOLDER = tmp_path
    return tmp_path


def bootstrap(kind: str) -> dict[str, str | None]:
    out = StringIO()
    call_command("bootstrap", "--kind", kind, stdout=out)
    (line,) = out.getvalue().splitlines()
    told: dict[str, str | None] = json.loads(line)
    return told


def test_the_first_run_tells_the_password_and_later_runs_do_not() -> None:
    first, again = bootstrap("operational"), bootstrap("operational")
    assert first == {"username": "admin", "password": first["password"], "kind": "operational"}
    assert again == {"username": "admin", "password": None, "kind": "operational"}
    assert Client().login(username="admin", password=first["password"])
    assert Member.objects.count() == 1


def test_an_operational_instance_is_empty_and_on_real_time() -> None:
    bootstrap("operational")
    state = read_instance()
    assert (state.kind, state.clock.speed) == ("operational", 1)
    assert not Agency.objects.exists()
    assert not Source.objects.exists()


def test_a_database_never_changes_its_kind() -> None:
    bootstrap("operational")
    with pytest.raises(CommandError, match="a demo instance needs its own"):
        bootstrap("demo")
    assert read_instance().kind == "operational"


def test_the_administrator_gets_agencies_that_are_made_later() -> None:
    bootstrap("operational")
    agency = make_agency("later")
    bootstrap("operational")
    administrator = Member.objects.get()
    assert administrator.memberships.get().role == Role.ADMINISTRATOR
    assert viewer_of(administrator.pk).agencies("calls") == [], "not before the second factor is set up"
    give_app(administrator)
    assert viewer_of(administrator.pk).agencies("calls") == [agency.pk]


def test_a_layer_that_is_added_later_is_granted_once_and_nothing_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap("operational")
    agency = make_agency("early")
    withdraw_grant(grant=agency.held_grants.get(layer="calls", role=Role.OFFICER))
    monkeypatch.setitem(catalog(), "sensors", replace(catalog()["fences"], name="sensors"))
    bootstrap("operational")
    assert agency.held_grants.filter(layer="sensors").count() == 5
    assert not agency.held_grants.filter(layer="sensors", role=Role.PARTNER).exists()
    withdraw_grant(grant=agency.held_grants.get(layer="sensors", role=Role.OFFICER))
    bootstrap("operational")
    assert not agency.held_grants.filter(layer__in=["calls", "sensors"], role=Role.OFFICER).exists()


def test_a_demonstration_has_its_city_once() -> None:
    bootstrap("demo")
    before = (Agency.objects.count(), Source.objects.count())
    assert bootstrap("demo")["password"] is None
    assert (Agency.objects.count(), Source.objects.count()) == before
    assert before[0] >= 1
    assert before[1] >= 1
    viewer = viewer_of(Member.objects.get(username="admin").pk)
    assert all(viewer.agencies(name) for name in names())
    assert {source.origin for source in Source.objects.all()} <= {"simulated", "replayed"}
