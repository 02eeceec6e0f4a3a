"""A feature layer of one agency in memory, with its messages encoded once for all who may see it."""

from collections.abc import Iterable, Iterator

import orjson

PART_BYTES = 32_768
Change = tuple[int, bytes | None]


def changes_tail(layer: str, agency_id: int, *, prev: int, rev: int, features: list[bytes], removed: list[int]) -> bytes:
    """Return a `changes` message without its opening number."""
    return b'"type":"changes","layer":%b,"agency":%d,"prev":%d,"rev":%d,"features":[%b],"removed":%b}' % (
        orjson.dumps(layer), agency_id, prev, rev, b",".join(features), orjson.dumps(removed),
    )  # fmt: skip


def snapshot_tail(layer: str, agency_id: int, *, rev: int, features: list[bytes]) -> bytes:
    """Return a `snapshot` message without its opening number."""
    return b'"type":"snapshot","layer":%b,"agency":%d,"rev":%d,"features":[%b]}' % (
        orjson.dumps(layer), agency_id, rev, b",".join(features),
    )  # fmt: skip


def in_parts(features: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Cut features into messages of about PART_BYTES; a larger feature gets a message of its own."""
    part: list[bytes] = []
    size = 0
    for feature in features:
        if part and size + len(feature) > PART_BYTES:
            yield part
            part, size = [], 0
        part.append(feature)
        size += len(feature) + 1
    yield part


class FeatureSet:
    """All features of a layer of an agency at a revision."""

    def __init__(self, layer: str, agency_id: int) -> None:
        self.layer = layer
        self.agency_id = agency_id
        self.rev = 0
        self.geojson: dict[int, bytes] = {}
        self.unlocated: set[int] = set()
        self.size = 0  # bytes of all features
        self._snapshot: list[bytes] | None = None

    def apply(self, changes: list[Change], rev: int) -> list[bytes]:
        """Bring the set to a revision. Return the messages that tell it."""
        prev, self.rev, self._snapshot = self.rev, rev, None
        for feature_id, geojson in changes:
            self._put(feature_id, geojson)
        removed = [feature_id for feature_id, geojson in changes if geojson is None]
        return self._messages(prev, [geojson for _, geojson in changes if geojson is not None], removed)

    def snapshot(self) -> list[bytes]:
        """Return messages that replace all: a snapshot, and for a large layer changes at the same revision that complete it."""
        if self._snapshot is None:
            first, *others = in_parts(self.geojson.values())
            name = (self.layer, self.agency_id)
            self._snapshot = [snapshot_tail(*name, rev=self.rev, features=first)]
            self._snapshot += [changes_tail(*name, prev=self.rev, rev=self.rev, features=part, removed=[]) for part in others]
        return self._snapshot

    def _messages(self, prev: int, features: list[bytes], removed: list[int]) -> list[bytes]:
        parts = list(in_parts(features))
        tails = []
        for number, part in enumerate(parts):
            before = prev if number == 0 else self.rev
            gone = removed if number == 0 else []
            tails.append(changes_tail(self.layer, self.agency_id, prev=before, rev=self.rev, features=part, removed=gone))
        return tails

    def _put(self, feature_id: int, geojson: bytes | None) -> None:
        self.unlocated.discard(feature_id)
        self.size -= len(self.geojson.pop(feature_id, b""))
        if geojson is None:
            return
        self.geojson[feature_id] = geojson
        self.size += len(geojson)
        if b'"unlocated":true' in geojson.replace(b" ", b""):
            self.unlocated.add(feature_id)
