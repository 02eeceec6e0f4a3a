"""The one statement that makes posts durable: their rows, their cut observations, their rejects, all or nothing."""

from collections.abc import Sequence
from operator import attrgetter

import msgspec

from apps.geo.binary_array import BYTEA, INT2, INT4, INT8, TEXT, UUID, Packed, blobs, booleans, integers, optional
from apps.ingest.parcels import PreparedPost

QUEUE = """
WITH queued AS (
    INSERT INTO ingest_inbound (shard, source_id, post_id, received_us, count, parcel)
    SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::uuid[], %s::bigint[], %s::integer[], %s::bytea[])
    RETURNING post_id, id
), spans AS (
    SELECT post_id, min(id) AS first_id, max(id) AS last_id FROM queued GROUP BY post_id
)"""
REJECTS = """, refused AS (
    INSERT INTO ingest_reject (post_id, source_id, index, reason, detail, part, quarantined, received_at)
    SELECT post_id, source_id, index, reason, detail, part, quarantined, 'epoch'::timestamptz + received_us * interval '1 microsecond'
    FROM unnest(%s::uuid[], %s::bigint[], %s::integer[], %s::text[], %s::text[], %s::bytea[], %s::boolean[], %s::bigint[])
        AS r(post_id, source_id, index, reason, detail, part, quarantined, received_us)
)"""
IGNORED = """, aside AS (
    INSERT INTO ingest_outcome (post_id, index, outcome, detail)
    SELECT post_id, index, 'ignored', detail FROM unnest(%s::uuid[], %s::integer[], %s::text[]) AS i(post_id, index, detail)
)"""
POSTS = """
INSERT INTO ingest_post (id, source_id, received_at, content_type, raw, accepted, rejected, notes, first_inbound, last_inbound)
SELECT p.id, source_id, 'epoch'::timestamptz + received_us * interval '1 microsecond', content_type, raw, accepted, rejected, notes::jsonb,
    first_id, last_id
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::text[], %s::bytea[], %s::integer[], %s::integer[], %s::text[])
    AS p(id, source_id, received_us, content_type, raw, accepted, rejected, notes)
LEFT JOIN spans ON spans.post_id = p.id
"""


def statement(posts: Sequence[PreparedPost]) -> tuple[str, list[Packed]]:
    """Return the statement and its parameters; posts that bear no rejects need no tables for them."""
    rejected = any(post.rejects for post in posts)
    ignored = any(post.ignored for post in posts)
    query = QUEUE + (REJECTS if rejected else "") + (IGNORED if ignored else "") + POSTS
    values = queue_values(posts)
    values += reject_values(posts) if rejected else []
    values += ignored_values(posts) if ignored else []
    return query, values + post_values(posts)


def queue_values(posts: Sequence[PreparedPost]) -> list[Packed]:
    cuts = [cut for post in posts for cut in post.cuts]
    owners = [post for post in posts for _ in post.cuts]
    return [
        integers(INT2, [cut.shard for cut in cuts]),
        integers(INT8, [post.source_id for post in owners]),
        blobs(UUID, [post.id for post in owners]),
        integers(INT8, [post.received_us for post in owners]),
        integers(INT4, [cut.count for cut in cuts]),
        blobs(BYTEA, [cut.parcel for cut in cuts]),
    ]


def reject_values(posts: Sequence[PreparedPost]) -> list[Packed]:
    pairs = [(post, reject) for post in posts for reject in post.rejects]
    rejects = [reject for _, reject in pairs]
    return [
        blobs(UUID, [post.id for post, _ in pairs]),
        integers(INT8, [post.source_id for post, _ in pairs]),
        optional(INT4, [None if reject.index is None else reject.index.to_bytes(4, "big") for reject in rejects]),
        blobs(TEXT, [reject.reason.encode() for reject in rejects]),
        blobs(TEXT, [text_bytes(reject.detail) for reject in rejects]),
        blobs(BYTEA, [reject.part for reject in rejects]),
        booleans([reject.quarantined for reject in rejects]),
        integers(INT8, [post.received_us for post, _ in pairs]),
    ]


def ignored_values(posts: Sequence[PreparedPost]) -> list[Packed]:
    rows = [(post.id, index, detail) for post in posts for index, detail in post.ignored]
    return [
        blobs(UUID, [post for post, _, _ in rows]),
        integers(INT4, [index for _, index, _ in rows]),
        blobs(TEXT, [text_bytes(detail) for _, _, detail in rows]),
    ]


def post_values(posts: Sequence[PreparedPost]) -> list[Packed]:
    return [
        blobs(UUID, [post.id for post in posts]),
        integers(INT8, list(map(attrgetter("source_id"), posts))),
        integers(INT8, list(map(attrgetter("received_us"), posts))),
        blobs(TEXT, [text_bytes(post.content_type) for post in posts]),
        blobs(BYTEA, [post.raw for post in posts]),
        integers(INT4, [post.accepted for post in posts]),
        integers(INT4, [len(post.rejects) for post in posts]),
        optional(TEXT, [notes_bytes(post) for post in posts]),
    ]


def notes_bytes(post: PreparedPost) -> bytes | None:
    return msgspec.json.encode(post.notes) if post.notes else None


def text_bytes(text: str) -> bytes:
    """Return UTF-8 without what PostgreSQL cannot hold."""
    return text.encode("utf-8", "replace").replace(b"\x00", b"")
