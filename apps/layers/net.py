"""Where reads of places go through: one transaction with a cursor, for one viewer."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from apps.accounts.viewer import Viewer
from apps.layers.definition import Cursor


@contextmanager
def seen_by(viewer: Viewer) -> Iterator[Cursor]:
    """Yield a cursor of one transaction, in which `viewer` reads."""
    with transaction.atomic(), connection.cursor() as cursor:
        yield cursor
