"""A private system for a bench: servers of its own in a temporary folder, the real processes, and Django in this process."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HELD = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY pid
"""


def launcher() -> ModuleType:
    """Load ./rtcc as a module."""
    loader = SourceFileLoader("rtcc_launcher", str(ROOT / "rtcc"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


@dataclass
class System:
    servers: Any
    instance: Any

    def start(self, *names: str) -> None:
        self.instance.start(*names)
        if "web" in names:
            self.instance.wait_healthy(60)
        owners = sum(name.partition(":")[0] == "pipeline" for name in names)
        if owners:
            wait_for_owners(owners)


@contextmanager
def private_system(settings: Mapping[str, str] | None = None) -> Iterator[System]:
    """PostgreSQL (fsync and synchronous_commit on) and Redis of our own, migrated; all gone afterwards."""
    rtcc = launcher()
    with tempfile.TemporaryDirectory(prefix="rtcc-bench-") as folder, rtcc.Servers(Path(folder)) as servers:
        servers.start_postgres({"fsync": "on", "synchronous_commit": "on", **(settings or {})})
        servers.start_redis()
        instance = rtcc.Instance(servers, port=rtcc.free_port(8300))
        os.environ.update(instance.environment())
        instance.manage("migrate", "--noinput")
        set_up_django()
        try:
            yield System(servers, instance)
        finally:
            instance.stop()


def wait_for_owners(owners: int) -> None:
    """Return when so many share the shards evenly: while they hand over, nothing is processed for a moment."""
    from django.db import connection

    from apps.geo.shards import SHARDS
    from apps.pipeline import shards

    until = time.monotonic() + 60
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(HELD, [shards.HELD])
            held = [row[0] for row in cursor.fetchall()]
        if len(held) == owners and sum(held) == SHARDS and max(held) - min(held) <= 1:
            return
        time.sleep(0.1)
    raise SystemExit(f"{owners} pipelines do not share the shards: {held}")


def set_up_django() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "rtcc_geo.settings"
    django.setup()
