"""Small PNG files for the documents: 256 colors, the commonest and those that differ most from them; others become the nearest."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COLORS, COMMONEST, LEAST_COUNT = 256, 160, 4
Pixels = NDArray[np.uint8]


def write_png(pixels: Pixels, file: Path) -> None:
    """Write pixels of shape (height, width, 3)."""
    height, width, _ = pixels.shape
    palette, indices = paletted(pixels)
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = indices
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette.tobytes()), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def paletted(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """Return a palette (n, 3) and for each pixel its index, shape (height, width)."""
    packed = (pixels.astype(np.uint32) * np.array([65536, 256, 1], np.uint32)).sum(axis=2, dtype=np.uint32)
    colors, where, counts = np.unique(packed, return_inverse=True, return_counts=True)
    parts = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=1).astype(np.int32)
    chosen = choose(parts, counts)
    nearest = np.concatenate([((block[:, None] - chosen[None]) ** 2).sum(axis=2).argmin(axis=1) for block in np.array_split(parts, 64)])
    return chosen.astype(np.uint8), nearest.astype(np.uint8)[where.reshape(packed.shape)]


def choose(colors: NDArray[np.int32], counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the palette, shape (n, 3): the commonest colors, then again and again the one farthest from all chosen."""
    chosen = list(np.argsort(-counts, kind="stable")[:COMMONEST])
    gaps = ((colors[:, None] - colors[chosen][None]) ** 2).sum(axis=2).min(axis=1) * (counts >= LEAST_COUNT)
    while len(chosen) < COLORS and gaps.max() > 0:
        chosen.append(gaps.argmax())
        gaps = np.minimum(gaps, ((colors - colors[chosen[-1]]) ** 2).sum(axis=1))
    return colors[chosen]
