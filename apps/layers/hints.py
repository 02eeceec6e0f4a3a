"""Hints on Redis: what a commit changed. A hint may be lost, late or doubled; nothing depends on one."""

import msgspec

from apps.accounts.epoch import EPOCH, send

__all__ = ["EPOCH", "HINTS", "Hint", "LayerChange", "publish", "read", "send"]

HINTS = "rtcc:hints"

Introduction = tuple[int, str | None, str, str, str, str, float]
"""What a reader must know of a device before its first position: its id, call sign, name, kind, origin, source, interval in s."""


class LayerChange(msgspec.Struct, frozen=True, array_like=True):
    """A layer of an agency went from revision `prev` to `rev`.

    `records`: packed tracks.records.POSITION rows (bytes) for positions; a list of [feature id, GeoJSON bytes or None
    when removed] for features; None means "read it from the database". `introduced`: devices that are new; a
    hub that missed the hint reads them from the database.
    """

    layer: str
    agency_id: int
    prev: int
    rev: int
    records: bytes | list[tuple[int, bytes | None]] | None
    introduced: list[Introduction] = []


class Hint(msgspec.Struct, frozen=True):
    layers: list[LayerChange]
    lag: list[tuple[int, int]] = []


encoder = msgspec.msgpack.Encoder()
decoder = msgspec.msgpack.Decoder(Hint)


def read(payload: bytes) -> Hint:
    """Return the hint in a message. Raises msgspec.DecodeError."""
    return decoder.decode(payload)


def publish(changes: list[LayerChange], lag: list[tuple[int, int]] | None = None) -> bool:
    return send(HINTS, encoder.encode(Hint(changes, lag or [])))
