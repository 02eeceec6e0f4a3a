"""GET /metrics for Prometheus: from this machine, or with a token. One web process answers for all, from the database.

Asked through a proxy without the token there is nothing here: nginx hides the address, and a member has no business with it.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from apps.accounts.instance import NoInstance
from apps.console.health import Health, read_health
from apps.ingest.answers import Receive, Scope, Send
from apps.processes.counting import BOUNDS_S
from apps.processes.queries import Running
from rtcc_geo.metric_texts import COUNTERS, DURATIONS, READINGS

log = logging.getLogger(__name__)
KEPT_S = 2.0
FORMAT = b"text/plain; version=1.0.0; charset=utf-8"
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
FORWARDED = {b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via"}


UP = "1 when the database could be read"


class Metrics:
    """Reads at most once in KEPT_S, whoever asks."""

    def __init__(self) -> None:
        self.one_at_a_time = asyncio.Lock()
        self.body, self.read_at = b"", float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_allowed(scope, settings.METRICS_TOKEN):
            await answer(send, 404, b"not found\n")
            return
        async with self.one_at_a_time:
            if time.monotonic() - self.read_at > KEPT_S:
                self.body, self.read_at = await asyncio.to_thread(text), time.monotonic()
        await answer(send, 200, self.body)


async def answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", FORMAT), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def is_allowed(scope: Scope, token: str | None) -> bool:
    """With the token from anywhere; without one set, from loopback and by no proxy."""
    headers = dict(scope["headers"])
    if token:
        return hmac.compare_digest(headers.get(b"authorization", b""), f"Bearer {token}".encode())
    client = scope.get("client") or ("",)
    return client[0] in LOOPBACK and not headers.keys() & FORWARDED


def text() -> bytes:
    """Return all metrics; where PostgreSQL cannot be read, rtcc_up is 0 and nothing else is told."""
    try:
        close_old_connections()
        return text_of(read_health(at=datetime.now(UTC)))
    except (DatabaseError, NoInstance) as error:
        log.warning("metrics could not be read: %s", error)
        return text_of(None)
    finally:
        close_old_connections()


def text_of(health: Health | None) -> bytes:
    registry = CollectorRegistry()
    registry.register(Told(list(told(health)) if health else [gauge("up", UP, 0)]))
    return generate_latest(registry)


class Told:
    """A collector of what was read already."""

    def __init__(self, metrics: list[Metric]) -> None:
        self.metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self.metrics


def gauge(name: str, help: str, value: float) -> Metric:
    return GaugeMetricFamily(f"rtcc_{name}", help, value=value)


def told(health: Health) -> Iterator[Metric]:
    yield gauge("up", UP, 1)
    yield gauge("redis_up", "1 when Redis answers", health.redis)
    yield gauge("queue_parcels", "Parcels in the queue", health.queue.parcels)
    yield gauge("queue_observations", "Observations in the queue", health.queue.observations)
    yield gauge("queue_oldest_seconds", "Age of the oldest parcel in the queue", health.queue.oldest_s)
    yield gauge("disk_free_bytes", "Free on the disk of the state folder", health.disk_free_bytes)
    yield gauge("disk_bytes", "Size of the disk of the state folder", health.disk_bytes)
    if health.backup_at is not None:
        yield gauge("backup_finished_timestamp_seconds", "When the last whole backup ended", health.backup_at.timestamp())
    if health.certificate_ends is not None:
        yield gauge("certificate_ends_timestamp_seconds", "When web's own certificate ends", health.certificate_ends.timestamp())
    yield from of_database(health)
    yield from of_sources(health)
    yield from of_processes(health.processes)


def of_database(health: Health) -> Iterator[Metric]:
    database = health.database
    yield gauge("database_bytes", "Size of the database", database.size_bytes)
    yield gauge("database_connections", "Connections of clients", database.connections)
    yield gauge("database_most_connections", "Connections that PostgreSQL allows", database.most_connections)
    yield gauge("database_oldest_snapshot_seconds", "Age of the oldest transaction that holds a snapshot", database.oldest_snapshot_s)
    yield gauge("database_clock_offset_seconds", "PostgreSQL's clock less that of web", database.clock_off_s)
    yield gauge("history_days_ahead", "Partitions of history prepared for days to come", database.days_ahead)
    dead = GaugeMetricFamily("rtcc_database_dead_rows", "Rows that wait for vacuum", labels=["table"])
    for table, count in database.dead_rows.items():
        dead.add_metric([table], count)
    yield dead


def of_sources(health: Health) -> Iterator[Metric]:
    labels = ["source", "agency"]
    age = GaugeMetricFamily("rtcc_source_last_message_seconds", "Age of the last message, by the instance's clock", labels=labels)
    usual = GaugeMetricFamily("rtcc_source_interval_seconds", "How often a device of the source normally reports", labels=labels)
    enabled = GaugeMetricFamily("rtcc_source_enabled", "1 when the source is switched on", labels=labels)
    sums = {
        "messages": CounterMetricFamily("rtcc_source_messages", "Messages that were stored", labels=labels),
        "observations": CounterMetricFamily("rtcc_source_observations", "Observations that were accepted", labels=labels),
        "rejects": CounterMetricFamily("rtcc_source_rejects", "Parts that were turned away or quarantined", labels=labels),
    }
    for source in health.sources:
        values = [source.slug, source.agency]
        enabled.add_metric(values, source.enabled)
        usual.add_metric(values, source.interval_s)
        if source.last_message_s is not None:
            age.add_metric(values, source.last_message_s)
        for name, metric in sums.items():
            metric.add_metric(values, getattr(source, name))
    yield from (age, usual, enabled, *sums.values())


def of_processes(processes: list[Running]) -> Iterator[Metric]:
    """Each process's own counts, by process and host. What a process counts without a text here is not told."""
    labels = ["process", "host"]
    told_s = GaugeMetricFamily("rtcc_process_told_seconds", "How long ago the process told of itself", labels=labels)
    hangs = GaugeMetricFamily("rtcc_process_turned_seconds", "How long before that its own work had gone round", labels=labels)
    for one in processes:
        told_s.add_metric([one.kind, one.host], one.told_s)
        if one.turned_s is not None:
            hangs.add_metric([one.kind, one.host], one.turned_s)
    yield from (told_s, hangs)
    for name, help in READINGS.items():
        yield family(GaugeMetricFamily(f"rtcc_{name}", help, labels=labels), name, processes)
    for name, (help, label) in COUNTERS.items():
        yield family(CounterMetricFamily(f"rtcc_{name}", help, labels=[*labels, *([label] if label else [])]), name, processes)
    for name, help in DURATIONS.items():
        yield histogram(name, help, processes)


def family(metric: GaugeMetricFamily | CounterMetricFamily, name: str, processes: list[Running]) -> Metric:
    """Fill a metric with what the processes counted under its name."""
    for one in processes:
        for labels, value in counted(one, name):
            metric.add_metric([one.kind, one.host, *labels], value)
    return metric


def counted(one: Running, name: str) -> Iterator[tuple[list[str], float]]:
    """Yield the label, if any, and the value of each count under a name: door_answers[202]."""
    for key, value in one.counts.items():
        own, _, label = key.partition("[")
        if own == name:
            yield [label.removesuffix("]")] if label else [], value


def histogram(name: str, help: str, processes: list[Running]) -> Metric:
    metric = HistogramMetricFamily(f"rtcc_{name}", help, labels=["process", "host"])
    for one in processes:
        if f"{name}[sum]" in one.counts:
            so_far, buckets = 0.0, []
            for bound in (*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"):
                so_far += one.counts.get(f"{name}[le {bound}]", 0)
                buckets.append((bound, so_far))
            metric.add_metric([one.kind, one.host], buckets, one.counts[f"{name}[sum]"])
    return metric
