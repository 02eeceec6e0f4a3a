"""PostgreSQL reads back what packed arrays say."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
import pytest

from apps.geo.binary_array import (
    BYTEA,
    FLOAT4,
    INT2,
    INT4,
    INT8,
    TEXT,
    TIMESTAMPTZ,
    blobs,
    booleans,
    column,
    integers,
    optional,
)  # fmt: skip
from apps.geo.binary_copy import bigint, integer, point, real, smallint, text, timestamptz
from apps.ingest.connections import connect


@pytest.fixture
def connection(db: None) -> Iterator["psycopg.Connection[Any]"]:
    with connect("arrays") as own:
        yield own


def test_plain_values_come_back(connection: "psycopg.Connection[Any]") -> None:
    row = connection.execute(
        "SELECT %s::smallint[], %s::text[], %s::text[], %s::boolean[], %s::smallint[]",
        [
            integers(INT2, [-3, 32_767]), blobs(TEXT, ["é".encode(), b""]), optional(TEXT, [None, b"x"]), booleans([True, False]),
            integers(INT2, []),
        ],
    ).fetchone()  # fmt: skip
    assert row == ([-3, 32_767], ["é", ""], [None, "x"], [True, False], [])


def test_columns_come_back_as_copy_would_store_them(connection: "psycopg.Connection[Any]") -> None:
    at_us = np.array([1_625_400_000_123_456, 0, 1_795_000_000_000_000])
    lon, lat = np.array([-95.36, 0.0, 179.5]), np.array([29.76, -89.0, 0.0])
    rows = connection.execute(
        """SELECT a, b, c, d, e, f, ST_X(g::geometry), ST_Y(g::geometry), ST_SRID(g::geometry)
        FROM unnest(%s::bigint[], %s::integer[], %s::smallint[], %s::real[], %s::text[], %s::timestamptz[], %s::bytea[])
        AS said (a, b, c, d, e, f, g)""",
        [
            column(INT8, bigint(np.array([1, -2, 2**60]))),
            column(INT4, integer(np.array([5, -6, 7]))),
            column(INT2, smallint(np.array([0, 255, -1]))),
            column(FLOAT4, real(np.array([1.5, np.nan, -3.25]))),
            column(TEXT, text(["", "Straße 9", "警車"])),
            column(TIMESTAMPTZ, timestamptz(at_us)),
            column(BYTEA, point(lon, lat)),
        ],
    ).fetchall()
    assert [row[:5] for row in rows] == [(1, 5, 0, 1.5, ""), (-2, -6, 255, None, "Straße 9"), (2**60, 7, -1, -3.25, "警車")]
    assert rows[0][5] == datetime.fromtimestamp(1_625_400_000, UTC).replace(microsecond=123456)
    assert [row[6:] for row in rows] == [(x, y, 4326) for x, y in zip(lon, lat, strict=True)]


@pytest.mark.parametrize("values", [[np.nan, np.nan], [1.0, 2.0], []])
def test_a_column_may_be_unknown_known_or_empty_throughout(connection: "psycopg.Connection[Any]", values: list[float]) -> None:
    row = connection.execute("SELECT %s::real[]", [column(FLOAT4, real(np.array(values, np.float64)))]).fetchone()
    assert row == ([None if np.isnan(value) else value for value in values],)
