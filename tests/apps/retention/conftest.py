from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from apps.tracks.days import stored_days
from tests import world
from tests.apps.retention.aged import Town


@pytest.fixture
def town(settings: Any, tmp_path: Path) -> Iterator[Town]:
    """An agency, and afterwards no day of history is left. A day goes outside of transactions: such tests commit."""
    settings.STATE_FOLDER = tmp_path
    world.make_instance()
    yield Town()
    with connection.cursor() as cursor:
        for day in stored_days(cursor):
            cursor.execute(f"DROP TABLE {day.name}")
