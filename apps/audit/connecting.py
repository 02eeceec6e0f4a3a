"""A connection of our own for long looks at the audit: no pool, no ORM."""

from django.conf import settings
from psycopg import connect

from apps.audit.chain import Connection


def own_connection() -> Connection:
    database = settings.DATABASES["default"]
    return connect(
        host=str(database["HOST"]), port=str(database["PORT"]), user=str(database["USER"]), dbname=str(database["NAME"]),
        application_name="rtcc verify-audit", autocommit=True, connect_timeout=5,
    )  # fmt: skip
