"""What the tests of apps share."""

from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from apps.pipeline import partitions
from apps.tracks.days import stored_days


@pytest.fixture(autouse=True)
def unmanaged_tables_are_emptied(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Django empties only what it manages after a test that commits; the next test may be any, whichever process runs it.

    Days of history go whole: retention would take one that was left, which cannot be done inside of a test's transaction.
    """
    yield
    mark = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (mark and mark.kwargs.get("transaction")):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE ingest_inbound, tracks_position")
            for day in stored_days(cursor):
                cursor.execute(f"DROP TABLE {day.name}")
        partitions.known.clear()
