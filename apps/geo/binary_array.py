"""One-dimensional arrays in PostgreSQL's binary form, packed by hand: a statement of 500 posts costs microseconds, not milliseconds."""

from collections.abc import Sequence
from struct import Struct

import numpy as np
from numpy.typing import NDArray
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

from apps.geo.binary_copy import Column, without_padding

HEADER = Struct(">iiIii")
LENGTH = Struct(">i")
NULL = LENGTH.pack(-1)
BYTEA, INT8, INT4, INT2, TEXT, BOOL, UUID, FLOAT4, TIMESTAMPTZ, TID = 17, 20, 23, 21, 25, 16, 2950, 700, 1184, 27
WIDTH = {INT8: 8, INT4: 4, INT2: 2}


class Packed(bytes):
    """An array as PostgreSQL's array_recv reads it."""


class PackedDumper(Dumper):
    """Hands an array that is already in PostgreSQL's binary form through; the cast in the statement gives its type."""

    format = Format.BINARY

    def dump(self, obj: Packed) -> Buffer:
        return obj


def send_packed(connection: AdaptContext) -> None:
    """Let a connection send packed arrays."""
    assert connection.adapters is not None
    connection.adapters.register_dumper(Packed, PackedDumper)


def header(element: int, count: int, *, has_null: bool = False) -> bytes:
    return HEADER.pack(1, int(has_null), element, count, 1)


def integers(element: int, values: Sequence[int] | NDArray[np.int64]) -> Packed:
    """Pack int8, int4 or int2. Raises OverflowError when a value does not fit."""
    width = WIDTH[element]
    rows = np.empty(len(values), [("length", ">i4"), ("value", f">i{width}")])
    rows["length"] = width
    rows["value"] = np.array(values, np.int64)
    return Packed(header(element, len(values)) + rows.tobytes())


def column(element: int, values: Column) -> Packed:
    """Pack a column as COPY would send it; `element` is the type of its values."""
    width, missing = values.values.dtype.itemsize, values.missing
    rows = np.empty(len(values.values), [("length", ">i4"), ("value", values.values.dtype)])
    rows["length"], rows["value"] = width if values.lengths is None else values.lengths, values.values
    if missing is None or not missing.any():
        lengths = {} if values.lengths is None else {"value": values.lengths}
        return Packed(header(element, len(rows)) + without_padding(rows, lengths))
    rows["length"][missing] = -1
    if missing.all():
        return Packed(header(element, len(rows), has_null=True) + rows["length"].tobytes())
    lengths = {"value": np.where(missing, 0, width if values.lengths is None else values.lengths)}
    return Packed(header(element, len(rows), has_null=True) + without_padding(rows, lengths))


def blobs(element: int, values: Sequence[bytes]) -> Packed:
    """Pack bytea, uuid (16 bytes each) or text (UTF-8)."""
    parts = [header(element, len(values))]
    for value in values:
        parts.append(LENGTH.pack(len(value)))
        parts.append(value)
    return Packed(b"".join(parts))


def optional(element: int, values: Sequence[bytes | None]) -> Packed:
    """Pack what may be NULL; integers come as their big-endian bytes."""
    parts = [header(element, len(values), has_null=True)]
    for value in values:
        parts.append(NULL if value is None else LENGTH.pack(len(value)) + value)
    return Packed(b"".join(parts))


def booleans(values: Sequence[bool]) -> Packed:
    return blobs(BOOL, [b"\x01" if value else b"\x00" for value in values])
