"""From the bytes of one post to the rows that it becomes: accepted observations cut by shard, rejects, things left aside."""

import os
import time
from collections.abc import Sequence
from datetime import datetime
from statistics import median

import msgspec

from apps.geo.clock import microseconds
from apps.geo.shards import SHARDS, shard_of
from apps.incidents.observations import BoardPoll, CallReport
from apps.ingest.adapters.contract import Adapter, Ignored, Item, Rejected, Settings
from apps.ingest.queue import Observation, Parcel, encoder
from apps.ingest.screening import Screen, judged
from apps.tracks.observations import Fix

REMEMBERED = 200_000
PART_LIMIT = 4_096


class Cut(msgspec.Struct, gc=False):
    """The observations of one post that belong to one shard, encoded."""

    shard: int
    count: int
    parcel: bytes


class Reject(msgspec.Struct, gc=False):
    index: int | None
    reason: str
    detail: str
    part: bytes
    quarantined: bool


class PreparedPost(msgspec.Struct):
    """All rows of one post. `id` is its receipt (16 bytes of a version 7 UUID)."""

    id: bytes
    source_id: int
    received_us: int
    content_type: str
    raw: bytes
    accepted: int = 0
    cuts: list[Cut] = []
    rejects: list[Reject] = []
    ignored: list[tuple[int, str]] = []
    notes: dict[int, str] = {}
    offset_ms: int | None = None


def new_receipt() -> bytes:
    """Return a UUID of version 7 (RFC 9562): 48 bits of milliseconds, then random bits."""
    random = int.from_bytes(os.urandom(10), "big")
    value = (time.time_ns() // 1_000_000) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return value.to_bytes(16, "big")


class Shards:
    """Shards of the identities of one source, remembered, since a hash of a new text costs more than a lookup."""

    def __init__(self, source_id: int) -> None:
        self.source_id = source_id
        self.known: dict[str, int] = {}

    def of(self, identity: str) -> int:
        shard = self.known.get(identity)
        if shard is None:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            shard = self.known[identity] = shard_of(f"{self.source_id}:{identity}")
        return shard


Split = dict[int, tuple[list[int], list[Observation]]]


def cut(items: Sequence[Item], shards: Shards) -> tuple[list[Cut], int]:
    """Split the accepted observations by shard, in the order of the post.

    Returns the cuts and how many parts of the post were accepted (a board's poll as a whole is none of its parts).
    """
    split: Split = {}
    known, polls, refused = shards.known, 0, 0
    for index, item in enumerate(items):
        kind = type(item)
        if kind is Fix or kind is CallReport:
            identity = item.identity  # type: ignore[union-attr]
            shard = known[identity] if identity in known else shards.of(identity)
            place(split, shard, index, item)  # type: ignore[arg-type]
        elif type(item) is BoardPoll:
            polls += 1
            for share in shares(item, shards):
                place(split, share.shard, index + share.shard, share)
        else:
            refused += 1
    cuts = [Cut(shard, len(indexes), encoder.encode(Parcel(indexes, seen))) for shard, (indexes, seen) in split.items()]
    return cuts, len(items) - polls - refused


def place(split: Split, shard: int, index: int, item: Observation) -> None:
    found = split.get(shard)
    if found is None:
        split[shard] = ([index], [item])
    else:
        found[0].append(index)
        found[1].append(item)


def shares(poll: BoardPoll, shards: Shards) -> list[BoardPoll]:
    """Cut a whole board's poll into one for each shard: a shard with no call of it must hear of that too."""
    present: list[list[str]] = [[] for _ in range(SHARDS)]
    for number in poll.present:
        present[shards.of(number)].append(number)
    return [BoardPoll(shard, poll.observed_us, tuple(numbers)) for shard, numbers in enumerate(present)]


def offset_ms(items: Sequence[Item], received_us: int) -> int | None:
    """Return the median of received minus observed over (at most 20 of) the fixes of one post, uncorrected."""
    seen = [received_us - item.observed_us for item in items[:20] if type(item) is Fix]
    return round(median(seen) / 1000) if seen else None


def unreadable(post: PreparedPost, reason: str, detail: str) -> PreparedPost:
    """Return the post as one that was kept and of which nothing could be read."""
    post.rejects = [Reject(None, reason, detail, post.raw[:PART_LIMIT], False)]
    return post


def prepare(
    post: PreparedPost, adapter: Adapter, settings: Settings, *, received_at: datetime, screen: Screen, shards: Shards
) -> PreparedPost:
    """Parse, judge and cut one post. Raises adapters.contract.Unreadable."""
    items = adapter.parse(post.raw, received_at=received_at, settings=settings)
    post.offset_ms = offset_ms(items, microseconds(received_at))
    notes: dict[int, str] = {}
    items = judged(items, screen, notes)
    post.cuts, taken = cut(items, shards)
    post.ignored = [(index, item.detail) for index, item in enumerate(items) if type(item) is Ignored]
    post.accepted = taken + len(post.ignored)
    post.rejects = rejects_of(items, post.raw, adapter, settings) if any(type(item) is Rejected for item in items) else []
    post.notes = notes
    return post


def rejects_of(items: Sequence[Item], raw: bytes, adapter: Adapter, settings: Settings) -> list[Reject]:
    """Return the rejected parts, each with the bytes that came."""
    parts: Sequence[bytes] | None = None
    rejects = []
    for index, item in enumerate(items):
        if type(item) is not Rejected:
            continue
        if not item.part and parts is None:
            parts = adapter.parts(raw, settings)
        part = item.part or (parts[index] if parts and index < len(parts) else b"")
        rejects.append(Reject(index, item.reason, item.detail, part[:PART_LIMIT], item.quarantined))
    return rejects
