"""The page that says in plain words how the instance is, its JSON, and who may see them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Member
from apps.console import judgement
from apps.console.health import Health, Queue, backup_at, read_health
from apps.console.judgement import BAD, EXPECTED, GOOD, LOOK, OFF, Finding, judge, worst
from apps.ingest.models import Reject, SourceHealth
from apps.processes.models import Process
from tests.world import make_administrator, make_agency, make_instance, make_member, make_source, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def state(settings: Any, tmp_path: Path) -> Path:
    settings.STATE_FOLDER = tmp_path
    return tmp_path


@pytest.fixture
def administrator(state: Path) -> Client:
    make_instance()
    return signed_in(make_administrator())


def run(kind: str, told_s: float = 1, age_s: float = 10_800) -> None:
    now = timezone.now()
    began, told_at = now - timedelta(seconds=age_s), now - timedelta(seconds=told_s)
    Process.objects.create(kind=kind, host="here", pid=1, started_at=began, told_at=told_at, counts={"resident_bytes": 9e7})


def read() -> Health:
    return read_health(at=datetime.now(UTC))


def of(findings: list[Finding], title: str) -> Finding:
    return next(finding for finding in findings if finding.title.startswith(title))


@pytest.mark.parametrize("path", ["/health/", "/api/health"])
def test_only_administrators_see_it(path: str, state: Path) -> None:
    make_instance()
    assert Client().get(path).status_code == (401 if path.startswith("/api/") else 302)
    assert signed_in(make_member(make_agency())).get(path).status_code == 403


def test_an_administrator_without_a_second_factor_reads_nothing(administrator: Client) -> None:
    Authenticator.objects.all().delete()
    Member.objects.update(second_factor_due=None)
    assert administrator.get("/health/").headers["Location"] == "/accounts/2fa/"
    assert administrator.get("/api/health").status_code == 403


def test_it_asks_again_who_one_is(administrator: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert administrator.get("/health/").headers["Location"] == "/accounts/reauthenticate/?next=%2Fhealth%2F"


def test_the_page_says_what_is_wrong_in_words_and_asks_again_by_itself(administrator: Client) -> None:
    page = administrator.get("/health/").content.decode()
    assert '<meta http-equiv="refresh" content="10">' in page
    assert "Something is wrong" in page
    assert "<script" not in page
    assert "style=" not in page
    assert all(kind in page for kind in EXPECTED)


def test_all_is_well_when_all_is_well(administrator: Client, state: Path) -> None:
    for kind in EXPECTED:
        run(kind)
    source = make_source(make_agency(), interval_s=10)
    SourceHealth.objects.create(source=source, last_message_at=timezone.now(), messages=1, observations=5)
    (state / "backup.json").write_text(f'{{"finished_at": "{datetime.now(UTC).isoformat()}"}}')
    findings = judge(replace(read(), disk_bytes=10**12, disk_free_bytes=9 * 10**11, redis=True))
    days = of(findings, "Days prepared")
    assert {finding.title: finding for finding in findings if finding.state != GOOD} in ({}, {days.title: days})


@pytest.mark.parametrize(("told_s", "state_word"), [(1, GOOD), (60, BAD)])
def test_a_silent_process_is_bad(administrator: Client, told_s: float, state_word: str) -> None:
    run("pipeline", told_s)
    assert of(judge(read()), "pipeline").state == state_word


def test_one_that_was_never_there_is_named(administrator: Client) -> None:
    assert (of(judge(read()), "worker").state, "not running" in of(judge(read()), "worker").text) == (BAD, True)


@pytest.mark.parametrize(("age_s", "expected"), [(10, LOOK), (300, BAD)])
def test_what_starts_with_the_others_is_given_a_minute(administrator: Client, age_s: float, expected: str) -> None:
    run("web", age_s=age_s)
    assert of(judge(read()), "watch").state == expected


@pytest.mark.parametrize(("age_s", "expected"), [(None, LOOK), (5, GOOD), (30, LOOK), (120, BAD)])
def test_a_source_is_judged_by_its_own_interval(administrator: Client, age_s: float | None, expected: str) -> None:
    source = make_source(make_agency(), interval_s=10)
    last = None if age_s is None else timezone.now() - timedelta(seconds=age_s)
    SourceHealth.objects.create(source=source, last_message_at=last)
    finding = of(judge(read()), "cad")
    assert finding.state == expected
    assert finding.link == f"/admin/ingest/source/{source.id}/change/"


def test_a_source_that_is_off_is_neither_good_nor_bad(administrator: Client) -> None:
    make_source(make_agency(), enabled=False)
    assert of(judge(read()), "cad").state == OFF


def test_what_was_rejected_lately_is_told_with_its_reason(administrator: Client) -> None:
    source = make_source(make_agency())
    now = timezone.now()
    SourceHealth.objects.create(source=source, last_message_at=now, last_error="zero_island: (0, 0)", last_error_at=now)
    for minutes in (5, 90):
        Reject.objects.create(source=source, reason="zero_island", part=b"{}", received_at=now - timedelta(minutes=minutes))
    finding = of(judge(read()), "cad")
    assert finding.state == LOOK
    assert "1 rejected within the hour, the last for “zero_island: (0, 0)”" in finding.text


@pytest.mark.parametrize(("oldest_s", "expected"), [(0, GOOD), (6, LOOK), (61, BAD)])
def test_a_queue_is_judged_by_its_oldest(administrator: Client, oldest_s: float, expected: str) -> None:
    assert of(judge(replace(read(), queue=Queue(3, 900, oldest_s))), "Queue").state == expected


@pytest.mark.parametrize(("free", "expected"), [(0.5, GOOD), (0.1, LOOK), (0.04, BAD)])
def test_a_full_disk_is_told_before_it_is_full(administrator: Client, free: float, expected: str) -> None:
    assert of(judge(replace(read(), disk_bytes=10**12, disk_free_bytes=int(free * 10**12))), "Disk").state == expected


@pytest.mark.parametrize(("hours", "expected"), [(None, LOOK), (3, GOOD), (30, LOOK), (50, BAD)])
def test_an_old_backup_is_told(administrator: Client, hours: float | None, expected: str) -> None:
    health = read()
    at = None if hours is None else health.at - timedelta(hours=hours)
    assert of(judge(replace(health, backup_at=at)), "Backup").state == expected


@pytest.mark.parametrize("text", ["", "{", "[]", '{"finished_at": 7}', '{"finished_at": "soon"}'])
def test_a_backup_that_tells_nonsense_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "backup.json").write_text(text)
    assert backup_at(tmp_path / "backup.json") is None


@pytest.mark.parametrize(("days", "expected"), [(90, GOOD), (20, LOOK), (2, BAD)])
def test_the_end_of_a_certificate_is_told_in_time(administrator: Client, days: int, expected: str) -> None:
    health = read()
    assert of(judge(replace(health, certificate_ends=health.at + timedelta(days=days))), "Certificate").state == expected


def test_the_worst_finding_is_the_verdict() -> None:
    found = [Finding("a", "b", state, "") for state in (GOOD, OFF, LOOK)]
    assert (worst(found), worst(found[:2]), worst([])) == (LOOK, GOOD, GOOD)


def test_a_program_reads_the_same_figures(administrator: Client) -> None:
    make_source(make_agency())
    answer = administrator.get("/api/health").json()
    assert answer["state"] == "bad"
    assert {finding["group"] for finding in answer["findings"]} == {"Processes", "Way in", "Sources", "Database", "Machine"}
    assert answer["health"]["sources"][0]["slug"] == "cad"
    assert answer["health"]["database"]["size_bytes"] > 1_000_000


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (300, "5 min"), (7200, "2.0 h"), (400_000, "5 days")])
def test_an_age_is_told_in_a_unit_that_fits(seconds: float, text: str) -> None:
    assert judgement.age(seconds) == text
