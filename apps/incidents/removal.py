"""What goes with calls that are removed for good. The one place that is told before they go."""

from collections.abc import Sequence

from apps.layers.definition import Cursor

FORGET_STANDING = """
    DELETE FROM incidents_callstanding WHERE revision_id IN (SELECT id FROM incidents_callrevision WHERE call_id = ANY(%s))
"""


def before_calls_go(cursor: Cursor, calls: Sequence[object]) -> None:
    """Remove what is derived from the calls (ids), in the transaction that then removes their revisions and themselves."""
    cursor.execute(FORGET_STANDING, [list(calls)])
