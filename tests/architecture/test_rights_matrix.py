"""Every address × who asks × whose agency: nobody is told of an agency what no grant gives, and foreign ids are 404.

Generated from the URL configuration, the bare addresses and the sockets; rights_table.py has the rows.
"""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.accounts.viewer import Viewer
from apps.live.routing import PATH
from rtcc_geo.entrance import Entrance
from tests.architecture.rights_table import (
    ACTS,
    ADMINISTER,
    BARE,
    ELSEWHERE,
    GRANTS,
    MEMBERS,
    OPEN,
    ROWS,
    SAMPLES,
    STAFF,
    Row,
    routes,
    row_of,
)  # fmt: skip
from tests.planted import Planted
from tests.rights import ANONYMOUS, World, leaked, make_world
from tests.running import ROOT
from tests.world import make_instance

pytestmark = pytest.mark.django_db
FILTERED = [route for route, row in ROWS.items() if row.answers == GRANTS]
METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace")


@pytest.fixture
def world(db: None) -> World:
    make_instance()
    return make_world(datetime.now(UTC) - timedelta(minutes=5))


def asked(client: Client, address: str) -> tuple[int, bytes]:
    """Return the status and all that came: headers, cookies, body. The present is put in where the address says {now}."""
    now = quote((datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    answer = client.get(address.replace("{now}", now))
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    return answer.status_code, f"{answer.headers} {answer.cookies.output()} ".encode() + body


def filled(route: str) -> str:
    """Return an address of the route, with something in the place of each parameter."""
    named = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: SAMPLES.get(part[1], "1"), re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route))
    return "/" + named.replace("^", "").replace("$", "").replace("\\", "")


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    found = routes()
    assert {route for route in found if row_of(route) is None} == set(), "a new address needs a row in rights_table.py"
    assert set(ROWS) - {"admin/"} <= set(found), "rows of addresses that are no more"
    assert len(found) > 80


def test_every_bare_address_and_socket_has_a_row_and_tests() -> None:
    assert {*Entrance(None).bare, PATH} == set(BARE)  # type: ignore[arg-type]
    for address, row in BARE.items():
        assert row.answers == ELSEWHERE
        assert address in (ROOT / row.probed_by).read_text() or address == PATH, f"{row.probed_by} asks nothing at {address}"


def test_every_row_that_is_not_held_below_says_why() -> None:
    assert all(row.holds or row.why_not for row in (*ROWS.values(), *BARE.values()))
    assert all(row.answers in (OPEN, MEMBERS, GRANTS, ADMINISTER, ACTS, STAFF, ELSEWHERE) for row in (*ROWS.values(), *BARE.values()))
    assert all(row.whole or row.named or row.answers == STAFF for row in ROWS.values())


@pytest.mark.parametrize("route", [route for route, row in ROWS.items() if row.answers in (OPEN, MEMBERS)])
def test_what_is_for_everybody_tells_of_no_agency(world: World, route: str) -> None:
    row = ROWS[route]
    for who, client, _ in world.viewers():
        for address in row.whole:
            status, answer = asked(client, address)
            assert status < 500 or (route == "" and status == 503), (who, address, status)
            assert not leaked(answer, list(world.agencies.values())), (who, address)
            if row.answers == MEMBERS and who == ANONYMOUS:
                assert status in (302, 401), (who, address, status)


@pytest.mark.parametrize("route", FILTERED)
def test_each_role_sees_what_its_grants_give_and_nothing_of_others(world: World, route: str) -> None:
    row = ROWS[route]
    for who, client, sees in world.viewers():
        hidden = [one for name, one in world.agencies.items() if name not in sees]
        for address in row.whole:
            status, answer = asked(client, address)
            assert status == (401 if who == ANONYMOUS else 200 if sees else row.nothing), (who, address, status)
            assert not leaked(answer, hidden), (who, address)
            for name in sees:
                assert world.agencies[name].word in answer.decode(errors="replace").lower(), (who, address, f"nothing of {name}")
        for name, one in world.agencies.items():
            check_named(who, client, row, one, sees=name in sees)


def check_named(who: str, client: Client, row: Row, one: Planted, *, sees: bool) -> None:
    for address in row.named:
        status, answer = asked(client, one.fill(address.replace("{now}", "{{now}}")))
        assert status == (401 if who == ANONYMOUS else 200 if sees else 404), (who, address, status)
        assert bool(leaked(answer, [one], named=True)) == sees, (who, address)


@pytest.mark.parametrize("route", [route for route, row in ROWS.items() if row.answers == ADMINISTER])
def test_who_administers_an_agency_sees_that_one_alone(world: World, route: str) -> None:
    row = ROWS[route]
    for who, client, _ in world.viewers():
        own = "own" if who == Role.ADMINISTRATOR else ""
        for address in row.whole:
            status, answer = asked(client, address)
            assert status in ((302,) if who == ANONYMOUS else (200,) if own else (403, 404)), (who, address, status)
            assert not leaked(answer, [world.agencies["foreign"]]), (who, address)
            # The partner's name may be in a sentence: it gave own its layers. Nothing that the partner has may.
            assert not leaked(answer, [world.agencies["partner"]], named=True), (who, address)
            assert not own or world.agencies[own].word in answer.decode(errors="replace").lower(), (who, address)
        for name, one in world.agencies.items():
            for address in row.named:
                status, answer = asked(client, one.fill(address))
                expected = (302,) if who == ANONYMOUS else (200,) if name == own else (404,) if own else (403, 404)
                assert status in expected, (who, name, address, status)
                assert name == own or not leaked(answer, [one], named=True), (who, address)


@pytest.mark.parametrize("route", [route for route, row in ROWS.items() if row.answers == ACTS])
def test_what_is_only_written_to_tells_nothing(world: World, route: str) -> None:
    for who, client, _ in world.viewers():
        for address in (*ROWS[route].whole, *(one.fill(each) for one in world.agencies.values() for each in ROWS[route].named)):
            status, answer = asked(client, address)
            assert status in (302, 404, 405), (who, address, status)
            assert not leaked(answer, list(world.agencies.values())), (who, address)


def test_the_admin_pages_are_closed_to_every_role(world: World) -> None:
    pages = [filled(route) for route in routes() if row_of(route) is ROWS["admin/"]]
    foreign = world.agencies["foreign"]
    pages += [f"/admin/{name}/{key}/change/" for name, key in objects(foreign)]
    for who, client, _ in world.viewers():
        for page in pages:
            status, answer = asked(client, page)
            assert status in (302, 403, 404) or page in ("/admin/login/", "/admin/logout/"), (who, page, status)
            assert not leaked(answer, list(world.agencies.values())), (who, page)
    root = world.instance_administrator()
    for name, key in objects(foreign):
        assert leaked(asked(root, f"/admin/{name}/{key}/change/")[1], [foreign]), f"the probe of {name} shows nothing to anybody"


def objects(one: Planted) -> list[tuple[str, int]]:
    assignment = one.track.assignments.get()  # type: ignore[attr-defined]
    return [
        ("accounts/agency", one.agency.pk), ("units/assignment", assignment.pk), ("units/unit", assignment.unit_id),
        ("boundaries/boundary", one.boundary.pk), ("geofences/fence", one.fence.pk), ("ingest/source", one.source.pk),
    ]  # fmt: skip


@pytest.mark.parametrize("route", FILTERED)
def test_with_every_filter_of_the_application_off_the_database_still_holds(
    world: World, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    """Whoever is signed in is now asked for everything. Rows that are not held must show it, or the test would prove nothing."""
    everybody = [one.agency.pk for one in world.agencies.values()]
    monkeypatch.setattr(Viewer, "agencies", lambda self, layer: everybody)
    monkeypatch.setattr(Viewer, "may_see", lambda self, layer, agency: True)
    row, shown = ROWS[route], []
    for who, client, sees in world.viewers():
        hidden = [one for name, one in world.agencies.items() if name not in sees]
        for address in (*row.whole, *(one.fill(each.replace("{now}", "{{now}}")) for one in hidden for each in row.named)):
            status, answer = asked(client, address)
            assert status == (401 if who == ANONYMOUS else 200), (who, address, status)
            shown += leaked(answer, hidden, named=bool(row.named))
            if who != ANONYMOUS and address in row.whole:
                assert all(world.agencies[name].word in answer.decode(errors="replace").lower() for name in sees), (who, address)
    assert bool(shown) != row.holds, shown


def test_every_unsafe_method_wants_a_token(world: World) -> None:
    """A page of another site can make a browser send cookies, and nothing else of ours."""
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = world.instance_administrator().cookies
    for route in routes():
        for method in ("post", "put", "patch", "delete"):
            status = getattr(strict, method)(filled(route)).status_code
            assert status in (403, 404, 405), (method, route, status)


@pytest.mark.parametrize("method", METHODS)
def test_no_method_makes_an_address_fail(world: World, method: str) -> None:
    root = world.instance_administrator()
    for route in routes():
        status = getattr(root, method)(filled(route)).status_code
        assert status < 500 or (route == "" and status == 503), (method, route, status)
