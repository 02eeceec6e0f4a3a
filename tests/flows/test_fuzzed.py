"""Whatever is asked: no answer of 500 and above, no call to a canary, and no seeded plate, name, key or place in any log."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from drf_spectacular.generators import SchemaGenerator

from apps.accounts.models import Role
from apps.accounts.operations import join, make_member
from tests.architecture.rights_table import BARE, routes
from tests.canary import canary
from tests.flows.fuzzing import Fuzz, Seeds
from tests.flows.story import Sender, Story, now, pool
from tests.live_map import sign_in
from tests.running import RunningSystem

ENDS_THE_SESSION = ("accounts/logout/",)
SHORT, LONG = (260, 140), (70_000, 35_000)


def places_of_logs(system: RunningSystem) -> list[Path]:
    """Every log of the system, and that of PostgreSQL, which the launcher started beside this run."""
    found = [*system.state.glob("*.log*"), *Path(os.environ["RTCC_STATE"]).parent.joinpath("logs").glob("*.log*")]
    assert {"web.log", "pipeline.log", "redis.log", "postgres.log"} <= {file.name for file in found}
    return found


class Logs:
    """What was written to the logs since this was made."""

    def __init__(self, system: RunningSystem) -> None:
        self.system = system
        self.began = {file: file.stat().st_size for file in places_of_logs(system)}

    def text(self) -> str:
        parts = []
        for file in places_of_logs(self.system):
            with file.open("rb") as log:
                log.seek(self.began.get(file, 0))
                parts.append(log.read().decode(errors="replace"))
        return "\n".join(parts)

    def leaks(self, seeds: Seeds) -> list[str]:
        text = self.text().lower()
        return [word for word in seeds.words if word.lower() in text]


@pytest.fixture
def seeds() -> Seeds:
    mark = uuid4().hex[:8].upper()
    return Seeds(f"PLT{mark}", f"Mallory{mark}", f"rtcc_seed{uuid4().hex}", ("-95.361937", "29.764825"))


@pytest.fixture
def fuzz(story: Story, seeds: Seeds) -> Iterator[Fuzz]:
    """A member who is called as no log may call them, and a canary."""
    member = make_member(username=seeds.name, password=f"{seeds.plate} {seeds.token}")
    join(member=member, agency=story.agency, role=Role.DISPATCHER)
    with canary() as bird:
        yield Fuzz(story.system.url, sign_in(member), seeds, f"http://127.0.0.1:{bird.port}")
        assert bird.connections == 0


def addresses() -> list[str]:
    own = {"/" + route.partition("<")[0].partition("(")[0].lstrip("^") for route in routes() if route not in ENDS_THE_SESSION}
    return sorted({*own, *BARE, "/static/", "/tiles/calls/12/", "/nowhere/"} - {"/live/"})


def provoke(story: Story, seeds: Seeds) -> None:
    """Make everything complain that can: the door, the pipeline, the database, the sign-in, the pages; each about seeded words."""
    lon, lat = map(float, seeds.place)
    calls, fixes = story.sender("calls_json"), story.sender("fixes")
    calls.processed(calls.call(seeds.plate, "active", lon=lon, lat=lat, address=seeds.name, narrative=f"{seeds.plate} {seeds.name}"))
    calls.processed(calls.call(seeds.plate, "\x00" + seeds.plate, type=seeds.name * 50))
    fixes.processed(fixes.fix(seeds.plate, lon=lon, lat=lat, call_sign=seeds.name, name=seeds.name))
    fixes.fix(seeds.plate, lon=lon, lat=lat, at=now().replace(year=1999), name=seeds.name)
    for body in (b"{", f'{{"fixes": "{seeds.plate}"}}'.encode(), f"plate={seeds.plate}&name={seeds.name}".encode()):
        pool.request("POST", fixes.url, body=body, headers=fixes.headers())
        pool.request("POST", f"{fixes.url}?key={seeds.token}&plate={seeds.plate}", body=body)
        pool.request("POST", f"{story.system.url}/accounts/login/?next=/{seeds.plate}", body=body)
    poison(story, fixes, seeds)
    for statement in ("SELECT %s::bigint", "SELECT %s::timestamptz", "SELECT %s::json", "INSERT INTO accounts_agency (slug) VALUES (%s)"):
        refused(statement, seeds)
    for path in (f"/{seeds.plate}", f"/api/layers/{seeds.plate}/features?at={seeds.name}", f"/admin/{seeds.plate}/?token={seeds.token}"):
        for more in ({}, {"Referer": seeds.plate}, {"Host": f"{seeds.plate}.example"}):
            pool.request("GET", story.system.url + path, headers={"Cookie": story.cookie, **more})


def poison(story: Story, fixes: Sender, seeds: Seeds) -> None:
    """Have the database refuse one fix in the pipeline, with words that quote it, until it is set aside."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse_seeded() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name LIKE '%%' || %s THEN "
            "RAISE EXCEPTION 'refused %%', NEW.name USING ERRCODE = '23514', DETAIL = NEW.name; END IF; RETURN NEW; END $$;"
            "CREATE TRIGGER refuse_seeded BEFORE INSERT OR UPDATE ON tracks_track FOR EACH ROW EXECUTE FUNCTION refuse_seeded()",
            [seeds.plate],
        )
    try:
        receipt = fixes.processed(fixes.fix(f"{seeds.plate}-2", lon=-95.3, lat=29.7, name=f"poison {seeds.plate}"))
        assert [outcome["outcome"] for outcome in receipt["outcomes"]] == ["set_aside"], receipt
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER refuse_seeded ON tracks_track; DROP FUNCTION refuse_seeded()")


def refused(statement: str, seeds: Seeds) -> None:
    """Run a statement that fails as the instance's processes run theirs: with the options of the environment."""
    names = {"host": "RTCC_PGHOST", "port": "RTCC_PGPORT", "user": "RTCC_PGUSER"}
    database = connection.settings_dict["NAME"]
    with psycopg.connect(dbname=database, autocommit=True, **{key: os.environ[name] for key, name in names.items()}) as own:
        with pytest.raises(psycopg.Error, match=r"\w"):
            own.execute(statement, [f"{seeds.plate} {seeds.name}"])  # type: ignore[arg-type]
        with pytest.raises(psycopg.Error, match=r"\w"):
            own.execute(statement.replace("%s", f"'{seeds.plate} {seeds.name}'"))  # type: ignore[arg-type]


def test_no_log_names_what_was_sent_whatever_went_wrong(story: Story, seeds: Seeds) -> None:
    logs = Logs(story.system)
    provoke(story, seeds)
    assert logs.leaks(seeds) == []
    assert "404 GET" in logs.text(), "nothing was provoked"
    assert "set aside observation" in logs.text()


def run(fuzz: Fuzz, story: Story, seeds: Seeds, counts: tuple[int, int]) -> None:
    logs = Logs(story.system)
    document = SchemaGenerator().get_schema(request=None, public=True)
    fuzz.by_schema(document, counts[0])
    fuzz.by_garbage(addresses(), counts[1])
    print(f"{fuzz.sent} requests, by status {dict(sorted(fuzz.statuses.items()))}")
    assert fuzz.failures == []
    assert logs.leaks(seeds) == []
    assert fuzz.statuses[200] > 0, "nothing was ever answered"
    assert fuzz.statuses[400] > 0
    assert '"status":"ok"' in story.system.health()


def test_hundreds_of_requests_find_nothing(fuzz: Fuzz, story: Story, seeds: Seeds) -> None:
    run(fuzz, story, seeds, SHORT)
    assert fuzz.sent >= 350


@pytest.mark.long
def test_a_hundred_thousand_requests_find_nothing(fuzz: Fuzz, story: Story, seeds: Seeds) -> None:
    fuzz.derandomized = False
    run(fuzz, story, seeds, LONG)
    assert fuzz.sent >= 100_000
