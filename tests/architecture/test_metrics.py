"""/metrics: who may read it, that Prometheus can, and that the documents say what there is."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from apps.ingest.models import SourceHealth
from apps.processes.models import Process
from rtcc_geo import metrics
from rtcc_geo.metric_texts import COUNTERS, DURATIONS, READINGS
from tests.world import make_agency, make_instance, make_source

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def asked(client: str | None = "127.0.0.1", **headers: str) -> dict[str, Any]:
    named = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": "/metrics", "client": (client, 1) if client else None, "headers": named}


@pytest.mark.parametrize(
    ("scope", "token", "allowed"),
    [
        (asked(), None, True),
        (asked("::1"), None, True),
        (asked("10.0.0.9"), None, False),
        (asked(None), None, False),
        (asked(X_Forwarded_For="10.0.0.9"), None, False),
        (asked(Forwarded="for=10.0.0.9"), None, False),
        (asked(), "secret", False),
        (asked("10.0.0.9", Authorization="Bearer secret"), "secret", True),
        (asked(Authorization="Bearer wrong"), "secret", False),
        (asked(Authorization="Bearer "), "", True),
    ],
)
def test_it_is_for_this_machine_or_who_has_the_token(scope: dict[str, Any], token: str | None, allowed: bool) -> None:
    assert metrics.is_allowed(scope, token) is allowed


def test_who_may_not_read_it_finds_nothing_there(settings: Any) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(metrics.Metrics()(asked("10.0.0.9"), send, send))
    assert sent[0]["status"] == 404


@pytest.fixture
def families(db: None, settings: Any, tmp_path: Path) -> dict[str, Any]:
    """What /metrics says of a small instance, as Prometheus reads it."""
    settings.STATE_FOLDER = tmp_path
    make_instance()
    source = make_source(make_agency())
    SourceHealth.objects.create(source=source, last_message_at=timezone.now(), messages=3, observations=40, rejects=2)
    now, counts = timezone.now(), {"live_clients": 7, "door_answers[202]": 5, "door_answers[429]": 1, "cpu_seconds": 2.5, "made_up": 1}
    counts |= {"pipeline_batch_seconds[le 0.05]": 4, "pipeline_batch_seconds[le +Inf]": 1, "pipeline_batch_seconds[sum]": 12.2}
    Process.objects.create(kind="web", host="here", pid=1, started_at=now, told_at=now, counts=counts)
    text = metrics.text_of(metrics.read_health(at=now)).decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def values(family: Any) -> dict[tuple[str, ...], float]:
    """Return the values of a metric by those of its labels, in the order of the labels' names."""
    return {tuple(value for _, value in sorted(sample.labels.items())): sample.value for sample in family.samples}


def test_prometheus_reads_the_figures(families: dict[str, Any]) -> None:
    assert values(families["rtcc_up"]) == {(): 1}
    assert values(families["rtcc_live_clients"]) == {("here", "web"): 7}
    assert values(families["rtcc_door_answers"]) == {("here", "web", "202"): 5, ("here", "web", "429"): 1}
    assert values(families["rtcc_source_rejects"]) == {("metro", "cad"): 2}
    assert values(families["rtcc_source_last_message_seconds"])["metro", "cad"] < 5
    assert not any("made_up" in name for name in families)


def test_durations_are_a_histogram_that_adds_up(families: dict[str, Any]) -> None:
    found = {(sample.name, sample.labels.get("le")): sample.value for sample in families["rtcc_pipeline_batch_seconds"].samples}
    assert found["rtcc_pipeline_batch_seconds_bucket", "0.025"] == 0
    assert found["rtcc_pipeline_batch_seconds_bucket", "0.05"] == 4
    assert found["rtcc_pipeline_batch_seconds_bucket", "+Inf"] == 5
    assert found["rtcc_pipeline_batch_seconds_sum", None] == 12.2


def test_every_metric_has_a_text_and_a_row_in_the_documents(families: dict[str, Any]) -> None:
    assert all(family.documentation for family in families.values())
    documented = set(re.findall(r"^\| `(rtcc_\w+)`", (DOCS / "metrics.md").read_text(), re.MULTILINE))
    shown = {name + ("_total" if family.type == "counter" else "") for name, family in families.items()}
    assert shown <= documented
    assert {f"rtcc_{name}" for name in (*READINGS, *DURATIONS)} | {f"rtcc_{name}_total" for name in COUNTERS} <= documented


def test_the_example_rules_name_metrics_that_there_are() -> None:
    documented = set(re.findall(r"^\| `(rtcc_\w+)`", (DOCS / "metrics.md").read_text(), re.MULTILINE))
    used = set(re.findall(r"\brtcc_\w+", (DOCS / "prometheus-rules.yaml").read_text()))
    assert {name.removesuffix("_bucket") for name in used} <= documented
    assert used


@pytest.mark.django_db
def test_django_has_no_page_of_that_name() -> None:
    assert Client().get("/metrics").status_code == 404
