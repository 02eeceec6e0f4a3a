"""The net below the application's filters: a read in which the database itself knows who reads, and shows no row of another's.

A layer's query names the agencies that its viewer may see. Should one forget to, or name too many, row security still holds: the
reader's role sees only rows of agencies that the member's grants name now (see row_security). It guards against our own mistakes.
Whoever can run SQL of their own as the application can also leave the role.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from apps.accounts.viewer import Viewer

READER = "rtcc_reader"
ENTER = "SELECT set_config('role', %s, true), set_config('rtcc.member', %s, true)"
LEAVE = "SELECT set_config('role', 'none', true), set_config('rtcc.member', '', true)"


@contextmanager
def seen_by(viewer: Viewer) -> Iterator[CursorWrapper]:
    """A transaction that reads as the viewer. Both settings end with it, also when it fails: the connection goes back to its pool
    as it came. Within a transaction of the caller they end with this block.

    What other sessions do (`layers.queries.settled`) cannot be seen from in here: ask before.
    """
    is_inner = connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ENTER, [READER, str(viewer.member_id)])
        yield cursor
        if is_inner:
            cursor.execute(LEAVE)
