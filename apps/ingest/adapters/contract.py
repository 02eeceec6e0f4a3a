"""What an adapter is: a pure function from the bytes of one post to observations, rejects and things it leaves aside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from apps.ingest.queue import Observation


class Unreadable(Exception):
    """Nothing of the body could be read; the message says why, in words for the sender."""

    def __init__(self, detail: str, reason: str = "unparsable") -> None:
        super().__init__(detail)
        self.detail = detail
        self.reason = reason


class Rejected(msgspec.Struct, frozen=True):
    """One part of a post that is not taken, with its reason (a word of docs/interfaces.md)."""

    reason: str
    detail: str
    part: bytes = b""
    quarantined: bool = False


class Ignored(msgspec.Struct, frozen=True):
    """One part of a post that is well formed and carries nothing that we keep. The receipt says so."""

    detail: str


Item = Observation | Rejected | Ignored
Settings = Mapping[str, Any]


class Adapter(Protocol):
    """`parse` returns one item for each part of the post, in its order; `parts` gives the same parts as raw bytes.

    `parse` raises Unreadable and nothing else, whatever the bytes are. `parts` is only called for bytes that `parse` has read.
    """

    name: str
    content_types: frozenset[str]

    def parse(self, payload: bytes, *, received_at: datetime, settings: Settings) -> Sequence[Item]: ...

    def parts(self, payload: bytes, settings: Settings) -> Sequence[bytes]: ...
