"""How long messages are kept as they came, what waits, and what was turned away. They hold places and calls inside."""

from apps.geo.shards import SHARDS
from apps.retention.definition import DAY, DataClass, Table

OF_SOURCE = "LEFT JOIN ingest_source source ON source.id = r.source_id"
INSIDE = ("positions", "calls")
"""A message may be kept no longer than what is inside it."""
RECEIVED = "to_timestamp(r.received_us / 1000000.0)"
QUEUE = DataClass(
    name="queue",
    title="Messages that wait",
    about="Accepted and not yet processed. They wait for milliseconds; after a long outage they too are kept no longer than the rule.",
    keep=30 * DAY,
    source=f"ingest_inbound r {OF_SOURCE}",
    age=RECEIVED,
    agency="source.agency_id",
    limited_by=("posts",),
    tables=(
        Table(
            "ingest_inbound",
            thing="r.id",
            key="r.id",
            at=RECEIVED,
            agency="source.agency_id",
            joins=OF_SOURCE,
            identity="source.slug",
            whose=f"r.shard = ANY(ARRAY(SELECT generate_series(0, {SHARDS - 1}))) AND r.id = ANY(%(things)s)",
        ),
    ),
)
POSTS = DataClass(
    name="posts",
    title="Messages as they came",
    about="The bytes that senders sent, and the receipts. Kept to prove what came, and to read it again after an adapter's fault.",
    keep=30 * DAY,
    source=f"ingest_post r {OF_SOURCE}",
    key_type="uuid",
    age="r.received_at",
    agency="source.agency_id",
    limited_by=INSIDE,
    tables=(
        Table(
            "ingest_outcome",
            thing="r.post_id",
            key="r.post_id || '/' || r.index",
            at="post.received_at",
            agency="source.agency_id",
            joins="JOIN ingest_post post ON post.id = r.post_id LEFT JOIN ingest_source source ON source.id = post.source_id",
            identity="source.slug",
        ),
        Table(
            "ingest_post", thing="r.id", key="r.id", at="r.received_at", agency="source.agency_id", joins=OF_SOURCE, identity="source.slug"
        ),
    ),
)


def rejects(name: str, title: str, about: str, part: str) -> DataClass:
    table = Table(
        "ingest_reject", thing="r.id", key="r.id", at="r.received_at", agency="source.agency_id", joins=OF_SOURCE, identity="source.slug"
    )
    return DataClass(
        name=name, title=title, about=about, keep=30 * DAY, source=f"ingest_reject r {OF_SOURCE}", age="r.received_at",
        agency="source.agency_id", part=part, limited_by=INSIDE, tables=(table,),
    )  # fmt: skip


REJECTS = rejects("rejects", "Rejects", "Bad input, kept with its reason.", "NOT r.quarantined")
QUARANTINE = rejects(
    "quarantine", "Quarantine", "Input that may be right and was not believed, such as a fix from the future.", "r.quarantined"
)
