"""What became of a post: read from its row, its rejects, its outcomes and what is still queued."""

from typing import Any
from uuid import UUID

import psycopg

from apps.geo.shards import SHARDS

POST = "SELECT received_at, accepted, notes, first_inbound, last_inbound FROM ingest_post WHERE id = %s AND source_id = %s"
QUEUED = """
SELECT EXISTS (SELECT 1 FROM ingest_inbound WHERE shard = ANY(%s::smallint[]) AND id BETWEEN %s AND %s AND post_id = %s)
"""
REJECTS = "SELECT index, reason, detail, quarantined FROM ingest_reject WHERE post_id = %s ORDER BY index"
OUTCOMES = "SELECT index, outcome, detail FROM ingest_outcome WHERE post_id = %s ORDER BY index"
IN_HISTORY = frozenset({"late"})


async def read(connection: psycopg.AsyncConnection[Any], receipt: UUID, *, source_id: int, slug: str) -> dict[str, Any] | None:
    """Return the receipt as docs/interfaces.md describes it; None when this source has no such post."""
    post = await (await connection.execute(POST, (receipt, source_id))).fetchone()
    if post is None:
        return None
    received_at, accepted, notes, first, last = post
    queued = await is_queued(connection, receipt, first, last)
    rejects = await (await connection.execute(REJECTS, (receipt,))).fetchall()
    outcomes = await (await connection.execute(OUTCOMES, (receipt,))).fetchall()
    told = {
        "receipt": receipt,
        "source": slug,
        "received_at": received_at,
        "accepted": accepted,
        "rejected": [dict(zip(("index", "reason", "detail", "quarantined"), row, strict=True)) for row in rejects],
        "state": "queued" if queued else "processed",
        "outcomes": [dict(zip(("index", "outcome", "detail"), row, strict=True)) for row in outcomes],
        "stored": 0 if queued else accepted - sum(outcome not in IN_HISTORY for _, outcome, _ in outcomes),
    }
    if notes:
        told["notes"] = [{"index": int(index), "detail": detail} for index, detail in notes.items()]
    return told


async def is_queued(connection: psycopg.AsyncConnection[Any], receipt: UUID, first: int | None, last: int | None) -> bool:
    """Whether a row of the post still waits. Asked before the outcomes are read, so that "processed" means they are complete."""
    if first is None:
        return False
    found = await (await connection.execute(QUEUED, (list(range(SHARDS)), first, last, receipt))).fetchone()
    return bool(found and found[0])
