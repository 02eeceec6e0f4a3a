"""The Celery application: grids, reports, imports. Never alerts, and no retention: both go on with Redis dead."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rtcc_geo.settings")
app = Celery("rtcc_geo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
