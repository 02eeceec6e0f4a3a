"""The binary frames of `rtcc.live.v1`; see docs/interfaces.md. Little endian, every part a multiple of 4 bytes."""

import struct

import numpy as np
from numpy.typing import NDArray

from apps.live.tiles import address_of

VERSION = 1
RECORD = np.dtype(
    [
        ("handle", "<u4"), ("lon", "<i4"), ("lat", "<i4"), ("age_ms", "<u4"),
        ("heading", "u1"), ("speed", "u1"), ("status", "u1"), ("flags", "u1"),
    ]
)  # fmt: skip
HEADING_KNOWN, SPEED_KNOWN, CLOCK_OFF = 1, 2, 4
WHOLE = 1
MOST_BLOBS = 0xFFFF
LONGEST_AGE_MS = 0xFFFFFFFF
HEADER_BYTES = 16
OPENING = struct.Struct("<HH")
NOW = struct.Struct("<d")
BLOB = struct.Struct("<IIIII")
SHORT = struct.Struct(">BBH")
LONG = struct.Struct(">BBQ")
TEXT, BINARY = 0x81, 0x82


def blob(key: int, records: bytes, *, whole: bool) -> bytes:
    """Return a tile's blob around packed records."""
    return BLOB.pack(*address_of(key), WHOLE if whole else 0, len(records) // RECORD.itemsize) + records


def socket_header(kind: int, size: int) -> bytes:
    """Return the header of one unmasked, final WebSocket message (RFC 6455, 5.2)."""
    if size < 126:
        return bytes((kind, size))
    return SHORT.pack(kind, 126, size) if size < 65536 else LONG.pack(kind, 127, size)


def frame_parts(blobs: list[bytes], now_ms: float) -> tuple[bytes, bytes]:
    """Return what stands before and after the number of a message, socket header included: only the number differs between clients."""
    body = b"".join(blobs)
    before = socket_header(BINARY, HEADER_BYTES + len(body)) + OPENING.pack(VERSION, len(blobs))
    return before, NOW.pack(now_ms) + body


def heading_byte(heading_deg: NDArray[np.float32]) -> NDArray[np.uint8]:
    turns = np.nan_to_num(heading_deg, nan=0.0, posinf=0.0, neginf=0.0) / 360
    return (np.rint(turns * 256).astype(np.int64) & 255).astype(np.uint8)


def speed_byte(speed_mps: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(np.rint(np.nan_to_num(speed_mps, nan=0.0) * 2), 0, 255).astype(np.uint8)
