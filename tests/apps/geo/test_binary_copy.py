"""PostgreSQL reads back what the columns say."""

from datetime import UTC, datetime

import numpy as np
import pytest
from django.db import connection
from psycopg import DataError

from apps.geo.binary_copy import bigint, binary_copy, integer, point, real, smallint, text, timestamptz


@pytest.mark.django_db
def test_postgresql_reads_back_every_kind_of_column() -> None:
    at_us = np.array([0, 1_625_400_000_123_456, 1_795_000_000_000_000])
    lon, lat = np.array([-95.36, 0.0, 179.5]), np.array([29.76, -89.0, 0.0])
    stream = binary_copy(
        [
            bigint(np.array([1, -2, 2**60])),
            integer(np.array([5, -6, 7])),
            smallint(np.array([0, 255, -1])),
            real(np.array([1.5, np.nan, -3.25])),
            timestamptz(at_us),
            point(lon, lat),
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE kinds (a bigint, b int, c smallint, d real, e timestamptz, f geometry(Point, 4326))")
        with cursor.copy("COPY kinds FROM STDIN (FORMAT binary)") as copy:
            copy.write(stream)
        cursor.execute("SELECT a, b, c, d, e, ST_X(f), ST_Y(f), ST_SRID(f) FROM kinds ORDER BY e")
        rows = cursor.fetchall()
    assert [row[:4] for row in rows] == [(1, 5, 0, 1.5), (-2, -6, 255, None), (2**60, 7, -1, -3.25)]
    assert rows[1][4] == datetime.fromtimestamp(1_625_400_000, UTC).replace(microsecond=123456)
    assert [row[5:] for row in rows] == [(x, y, 4326) for x, y in zip(lon, lat, strict=True)]


@pytest.mark.django_db
def test_no_rows_is_a_whole_stream_too() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE nothing (a bigint)")
        with cursor.copy("COPY nothing FROM STDIN (FORMAT binary)") as copy:
            copy.write(binary_copy([bigint(np.empty(0, np.int64))]))
        cursor.execute("SELECT count(*) FROM nothing")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_texts_of_any_length_come_back_as_they_were_and_in_order() -> None:
    said = ["", "4A12", "Straße 9", "tab\tand \\", "警車", "x" * 120]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE said (place int, name varchar(120), empty text)")
        with cursor.copy("COPY said FROM STDIN (FORMAT binary)") as copy:
            copy.write(binary_copy([integer(np.arange(len(said))), text(said), text([""] * len(said))]))
        cursor.execute("SELECT name, empty FROM said ORDER BY place")
        assert cursor.fetchall() == [(name, "") for name in said]


@pytest.mark.django_db
@pytest.mark.parametrize("said", ["nul\0inside", "x" * 121])
def test_a_text_that_the_column_cannot_hold_is_the_datas_fault(said: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE said (name varchar(120))")
        with pytest.raises(DataError), cursor.copy("COPY said FROM STDIN (FORMAT binary)") as copy:
            copy.write(binary_copy([text([said])]))
