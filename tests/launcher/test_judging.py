"""Where an answer turns into a fault, and that each fault says what to do."""

import pytest

from rtcc_geo.launching import judging
from rtcc_geo.launching.judging import Finding

BY_TITLE = {question.title: question for question in judging.QUESTIONS}


@pytest.mark.parametrize(
    ("title", "fine", "bad"),
    [
        ("oldest snapshot", "none|0", "400.0 s, backend 12 (psql)|400"),
        ("dead rows", "ingest_inbound 5|5", "ingest_inbound 900000|900000"),
        ("queue", "3 parcels, oldest 0.1 s|0.1", "90 parcels, oldest 30.0 s|30"),
        ("partitions", "14 days ahead, 20 in all|14", "2 days ahead, 8 in all|2"),
        ("connections", "12 of 200|0.06", "190 of 200|0.95"),
        ("transactions", "3 million|3000000", "900 million|900000000"),
    ],
)
def test_a_limit_separates_fine_from_wrong(title: str, fine: str, bad: str) -> None:
    question = BY_TITLE[title]
    assert question.judge(fine) == Finding(title, fine.partition("|")[0])
    wrong = question.judge(bad)
    assert wrong.text == f"{bad.partition('|')[0]}: {question.fault}"
    assert wrong.advice


def test_an_answer_without_a_number_is_wrong() -> None:
    assert BY_TITLE["queue"].judge("").advice


@pytest.mark.parametrize(
    "finding",
    [
        judging.disk("disk", "/data", 1_000, 100_000),
        judging.disk("disk", "/data", 5_000, 100_000),
        judging.backup_age(None, "", is_operational=True),
        judging.backup_age(10 * 86_400, "10.0 d old", is_operational=True),
        judging.wal_received("lost", False, 0),
        judging.wal_received("reserved", False, 3),
        judging.wal_received("extended", True, 900),
        judging.wal_for_nobody(700),
        judging.code(migrated=False, runs=False, is_up=True),
        judging.code(migrated=True, runs=False, is_up=True),
        judging.clock("12:00", kept=False, offset_s=None, is_operational=True),
        judging.clock("12:00", kept=True, offset_s=-4.0, is_operational=False),
        judging.certificate(3),
    ],
)
def test_every_fault_is_told_in_capitals_with_what_to_do(finding: Finding) -> None:
    assert finding.advice
    assert any(word in finding.text for word in ("NO ", "NOT ", "TOO "))


@pytest.mark.parametrize(
    "finding",
    [
        judging.disk("disk", "/data", 50_000, 100_000),
        judging.backup_age(3600, "1.0 h old", is_operational=True),
        judging.backup_age(None, "", is_operational=False),
        judging.wal_received("reserved", True, 0.2),
        judging.code(migrated=True, runs=True, is_up=True),
        judging.code(migrated=True, runs=False, is_up=False),
        judging.clock("12:00", kept=True, offset_s=0.002, is_operational=True),
        judging.clock("12:00", kept=False, offset_s=None, is_operational=False),
        judging.certificate(90),
    ],
)
def test_what_is_fine_needs_nothing(finding: Finding) -> None:
    assert not finding.advice
    assert not any(word in finding.text for word in ("NO ", "NOT ", "TOO "))


def test_the_kernels_clock_can_be_asked() -> None:
    assert judging.clock_is_kept() in (True, False)
