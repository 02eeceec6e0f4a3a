"""How the instance is: processes, queue, sources, database, disk, backup. Read for the page, for /api/health and for /metrics.

It holds no place and nobody's name: slugs and names of sources, counts and ages. Ages of what sources sent are by the instance's
clock, all others by the machine's.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import redis
from cryptography import x509
from django.conf import settings
from django.db import connection, transaction

from apps.accounts.instance import InstanceState, read_instance
from apps.processes.queries import Running, running

PATIENCE_MS = 4000
BACKUP = "backup.json"
WATCHED = ("ingest_inbound", "ingest_post", "tracks_position", "layers_layerrevision", "incidents_call", "processes_process")
QUEUE = """
    SELECT count(*), coalesce(sum(count), 0), coalesce(extract(epoch FROM clock_timestamp() - min(queued_at)), 0)::float8
    FROM ingest_inbound
"""
SOURCES = """
    SELECT source.id, source.slug, source.name, agency.slug, source.origin, source.enabled, source.interval_s,
        extract(epoch FROM %(now)s - health.last_message_at)::float8, coalesce(health.messages, 0), coalesce(health.observations, 0),
        coalesce(health.rejects, 0), (SELECT count(*) FROM ingest_reject reject
            WHERE reject.received_at > %(now)s - interval '1 hour' AND reject.source_id = source.id),
        coalesce(health.last_error, ''), extract(epoch FROM %(now)s - health.last_error_at)::float8, health.clock_offset_ms
    FROM ingest_source source JOIN accounts_agency agency ON agency.id = source.agency_id
    LEFT JOIN ingest_sourcehealth health ON health.source_id = source.id ORDER BY agency.slug, source.name
"""
SERVER = """
    SELECT pg_database_size(current_database()), (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
        current_setting('max_connections')::int, (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8
            FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'),
        clock_timestamp(), pg_postmaster_start_time()
"""
DEAD = "SELECT relname, n_dead_tup FROM pg_stat_user_tables WHERE relname = ANY(%s) ORDER BY relname"
DAYS = """
    SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM '\\(''([0-9-]+)')::date FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'tracks_fix'::regclass ORDER BY 1
"""


@dataclass(frozen=True)
class Queue:
    parcels: int
    observations: int
    oldest_s: float


@dataclass(frozen=True)
class SourceState:
    """`last_message_s` and `last_error_s`: ages; None when there was none. `interval_s`: how often one device normally reports."""

    id: int
    slug: str
    name: str
    agency: str
    origin: str
    enabled: bool
    interval_s: float
    last_message_s: float | None
    messages: int
    observations: int
    rejects: int
    rejects_hour: int
    last_error: str
    last_error_s: float | None
    clock_offset_ms: int | None


@dataclass(frozen=True)
class Database:
    """`clock_off_s`: the database's clock less this process's. `first_day`, `last_day`: of the history of positions."""

    size_bytes: int
    connections: int
    most_connections: int
    oldest_snapshot_s: float
    clock_off_s: float
    started_at: datetime
    dead_rows: dict[str, int]
    first_day: date | None
    last_day: date | None
    days_ahead: int


@dataclass(frozen=True)
class Health:
    """`at`: the machine's time. `redis`: whether it answers. `backup_at`, `certificate_ends`: None where nothing tells of one."""

    at: datetime
    instance: InstanceState
    queue: Queue
    sources: list[SourceState]
    database: Database
    processes: list[Running]
    redis: bool
    disk_bytes: int
    disk_free_bytes: int
    backup_at: datetime | None
    certificate_ends: datetime | None


@transaction.atomic
def read_health(*, at: datetime) -> Health:
    """Read it all in one short transaction. Raises DatabaseError when PostgreSQL is away or slow, and NoInstance."""
    instance = read_instance()
    rows(f"SET LOCAL statement_timeout = {PATIENCE_MS}", fetch=False)
    disk = shutil.disk_usage(settings.STATE_FOLDER)
    return Health(
        at=at,
        instance=instance,
        queue=Queue(*rows(QUEUE)[0]),
        sources=[SourceState(*row) for row in rows(SOURCES, {"now": instance.clock.at(at)})],
        database=read_database(today=instance.clock.at(at).date()),
        processes=running(),
        redis=redis_answers(),
        disk_bytes=disk.total,
        disk_free_bytes=disk.free,
        backup_at=backup_at(Path(settings.STATE_FOLDER) / BACKUP),
        certificate_ends=certificate_ends(settings.TLS_CERTIFICATE),
    )


def rows(sql: str, values: Any = None, *, fetch: bool = True) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if fetch else []


def read_database(*, today: date) -> Database:
    size, connections, most, snapshot_s, its_clock, started_at = rows(SERVER)[0]
    days = [day for (day,) in rows(DAYS)]
    return Database(
        size_bytes=size,
        connections=connections,
        most_connections=most,
        oldest_snapshot_s=snapshot_s,
        clock_off_s=(its_clock - datetime.now(UTC)).total_seconds(),
        started_at=started_at,
        dead_rows={name: int(dead) for name, dead in rows(DEAD, [list(WATCHED)])},
        first_day=days[0] if days else None,
        last_day=days[-1] if days else None,
        days_ahead=sum(day > today for day in days),
    )


def redis_answers() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def backup_at(file: Path) -> datetime | None:
    """Return when the last backup was whole, as the file in the state folder tells: {"finished_at": "2026-11-26T03:00:00Z"}."""
    try:
        told = datetime.fromisoformat(json.loads(file.read_text(encoding="utf-8"))["finished_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def certificate_ends(file: str | None) -> datetime | None:
    """Return when web's own certificate ends; None where nginx or nobody holds one."""
    try:
        return x509.load_pem_x509_certificate(Path(file).read_bytes()).not_valid_after_utc if file else None
    except (OSError, ValueError):
        return None
