"""Dedicated connections of the front door and the pollers: no pool, no ORM, each statement its own transaction."""

import os
from typing import Any

import psycopg
from django.conf import settings

from apps.geo.binary_array import send_packed


def parameters(purpose: str) -> dict[str, Any]:
    """Return what psycopg needs to connect to the instance's database, read anew so that tests see theirs."""
    database = settings.DATABASES["default"]
    return {
        "host": database["HOST"],
        "port": database["PORT"],
        "user": database["USER"],
        "dbname": database["NAME"],
        "autocommit": True,
        "connect_timeout": 5,
        "application_name": f"rtcc {purpose}",
        "options": f"{os.environ.get('PGOPTIONS', '')} -c statement_timeout=15s -c timezone=UTC",
    }


async def connect_async(purpose: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """Raises psycopg.OperationalError when PostgreSQL is away."""
    connection = await psycopg.AsyncConnection.connect(**parameters(purpose))
    send_packed(connection)
    return connection


def connect(purpose: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Raises psycopg.OperationalError when PostgreSQL is away."""
    connection = psycopg.connect(**parameters(purpose))
    send_packed(connection)
    return connection
