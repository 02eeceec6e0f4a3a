"""The Celery application: grids, reports, imports. Never alerts, and no retention: both go on with Redis dead."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rtcc_geo.settings")
app = Celery("rtcc_geo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def tell(sender: Any, **_: Any) -> None:
    """Worker and beat tell of themselves as every process does; where the launcher gave no name, Celery's own word says which it is."""
    from apps.processes import reporting

    reporting.start("beat" if "beat" in type(sender).__module__ else "worker")


worker_ready.connect(tell)
beat_init.connect(tell)
