"""Rows for PostgreSQL's binary COPY, built column by column with numpy.

Format: PostgreSQL documentation, COPY, "Binary Format". A row is its field count, then for each field its length
(-1 for NULL) and its bytes, all big endian. Rows with the same NULLs have the same layout, so each pattern of NULLs
is one structured array.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
EPOCH_2000_US = 946_684_800_000_000
POINT = np.dtype([("order", "u1"), ("type", "<u4"), ("srid", "<u4"), ("x", "<f8"), ("y", "<f8")])
POINT_WITH_SRID = 0x20000001


@dataclass(frozen=True)
class Column:
    """Values in wire form; `missing` marks the NULLs (None: there are none). `lengths`: how many bytes of each value count
    (None: all of them)."""

    values: NDArray[np.generic]
    missing: NDArray[np.bool_] | None = None
    lengths: NDArray[np.integer] | None = None


def bigint(values: NDArray[np.integer]) -> Column:
    return Column(values.astype(">i8"))


def integer(values: NDArray[np.integer]) -> Column:
    return Column(values.astype(">i4"))


def smallint(values: NDArray[np.integer]) -> Column:
    return Column(values.astype(">i2"))


def real(values: NDArray[np.floating]) -> Column:
    """NaN means unknown and is stored as NULL."""
    return Column(values.astype(">f4"), np.isnan(values))


def timestamptz(us: NDArray[np.integer]) -> Column:
    """Microseconds since 1970."""
    return Column((us - EPOCH_2000_US).astype(">i8"))


def point(lon: NDArray[np.floating], lat: NDArray[np.floating]) -> Column:
    """EWKB points in EPSG:4326 from degrees."""
    rows = np.empty(len(lon), POINT)
    rows["order"], rows["type"], rows["srid"], rows["x"], rows["y"] = 1, POINT_WITH_SRID, 4326, lon, lat
    return Column(rows)


def text(values: Sequence[str]) -> Column:
    """text or varchar in UTF-8. PostgreSQL refuses what holds a NUL."""
    encoded = [value.encode() for value in values]
    lengths = np.array([*map(len, encoded)], np.int64)
    return Column(np.array(encoded, f"S{max(1, lengths.max(initial=0))}"), lengths=lengths)


def binary_copy(columns: Sequence[Column]) -> bytes:
    """Return a whole COPY stream, header and trailer included. Row order is kept within a pattern of NULLs only."""
    patterns = _patterns(columns)
    blocks = [_block(columns, pattern, np.flatnonzero(patterns == pattern)) for pattern in np.unique(patterns)]
    return b"".join([HEADER, *blocks, TRAILER])


def _patterns(columns: Sequence[Column]) -> NDArray[np.int64]:
    patterns = np.zeros(len(columns[0].values), np.int64)
    for bit, column in enumerate(columns):
        if column.missing is not None:
            patterns |= column.missing.astype(np.int64) << bit
    return patterns


def _block(columns: Sequence[Column], pattern: int, rows: NDArray[np.intp]) -> bytes:
    present = [not int(pattern) >> bit & 1 for bit in range(len(columns))]
    layout: list[tuple[str, str | np.dtype[np.generic]]] = [("fields", ">i2")]
    for number, column in enumerate(columns):
        layout.append((f"length{number}", ">i4"))
        if present[number]:
            layout.append((f"value{number}", column.values.dtype))
    block = np.empty(len(rows), np.dtype(layout))
    block["fields"] = len(columns)
    for number, column in enumerate(columns):
        width = column.values.dtype.itemsize if column.lengths is None else column.lengths[rows]
        block[f"length{number}"] = width if present[number] else -1
        if present[number]:
            block[f"value{number}"] = column.values[rows]
    lengths = {f"value{number}": column.lengths[rows] for number, column in enumerate(columns) if column.lengths is not None}
    return without_padding(block, lengths)


def without_padding(block: NDArray[np.void], lengths: dict[str, NDArray[np.integer]]) -> bytes:
    """Return the rows with only the first bytes of these fields."""
    if not lengths or not len(block):
        return block.tobytes()
    content = block.view(np.uint8).reshape(len(block), -1)
    counts = np.ones(content.shape, bool)
    assert block.dtype.fields is not None
    for name, length in lengths.items():
        dtype, start = block.dtype.fields[name][:2]
        counts[:, start : start + dtype.itemsize] = np.arange(dtype.itemsize) < length[:, None]
    return content[counts].tobytes()
