"""Calls as CSV with a header line and a mapping.

settings: {"columns": {"number": "Event No", "time": "Updated", …}, "delimiter": ";", "encoding": "utf-8", "time_zone": "America/Chicago",
"time_format": "%m/%d/%Y %H:%M", "units_separator": ",", "states": {"DISP": "active", …}}. Without "columns" the header has our names.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from apps.geo.clock import microseconds
from apps.ingest import measures
from apps.ingest.adapters.contract import Item, Rejected, Settings, Unreadable
from apps.ingest.adapters.fields import Unfit, call_from

FIELDS = (
    "number", "sequence", "time", "state", "type", "priority", "lon", "lat", "address", "cross_streets", "units", "opened_at",
    "narrative", "uncertainty_m",
)  # fmt: skip
NEEDED = ("number", "time")
TIMES = ("time", "opened_at")
Row = list[str]


@dataclass(frozen=True)
class Times:
    """How this source writes times that carry no zone."""

    zone: tzinfo | None
    form: str | None

    def read(self, text: str) -> Any:
        """Return microseconds' source: a datetime with a zone where it can be had, else the text as it came."""
        text = text.strip()
        if not text or (self.form is None and measures.microseconds_of(text) is not None):
            return text
        try:
            moment = datetime.strptime(text, self.form) if self.form else datetime.fromisoformat(text)
            moment = moment if moment.tzinfo or self.zone is None else moment.replace(tzinfo=self.zone)
            microseconds(moment)
        except (ValueError, OverflowError, TypeError):
            return text if self.form is None else "not in the source's time_format"
        return moment


def times_of(settings: Settings) -> Times:
    """Raises Unreadable for a zone that does not exist."""
    name = settings.get("time_zone")
    try:
        zone = ZoneInfo(str(name)) if name else None
    except (ValueError, OSError, KeyError) as error:
        raise Unreadable(f'the source\'s time_zone "{name}" does not exist') from error
    form = settings.get("time_format")
    return Times(zone, str(form) if form else None)


def rows(payload: bytes, settings: Settings) -> Iterator[Row]:
    """Raises Unreadable, also while it is read."""
    delimiter = str(settings.get("delimiter", ","))
    try:
        text = payload.decode(str(settings.get("encoding", "utf-8"))).removeprefix("\ufeff")
        yield from (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row)
    except (UnicodeDecodeError, LookupError) as error:
        raise Unreadable(f"not a text of the source's encoding: {error}") from error
    except (csv.Error, TypeError) as error:
        raise Unreadable(f"not CSV: {error}") from error


def places(header: Row, settings: Settings) -> dict[str, int]:
    """Return in which cell each of our fields stands. Raises Unreadable, naming a column that is missing."""
    mapping = settings.get("columns")
    if not isinstance(mapping, dict) or not mapping:
        mapping = {field: field for field in FIELDS if field in header}
    for field in NEEDED:
        if field not in mapping:
            raise Unreadable(f"no column is mapped to {field}")
    found = {}
    for field, column in mapping.items():
        if field not in FIELDS:
            raise Unreadable(f'the mapping names "{field}", which is no field of a call')
        if column not in header:
            raise Unreadable(f'the column "{column}" ({field}) is missing')
        found[field] = header.index(column)
    return found


def read(row: Row, cells: Mapping[str, int], times: Times, settings: Settings) -> Item:
    fields: dict[str, Any] = {field: row[place].strip() or None for field, place in cells.items() if place < len(row)}
    states = settings.get("states")
    state = fields.get("state") or "active"
    fields["state"] = states.get(state, state) if isinstance(states, dict) else state
    for field in TIMES:
        if fields.get(field):
            fields[field] = times.read(fields[field])
    if "units" in cells and fields.get("units") is None:
        fields["units"] = []
    separator = settings.get("units_separator")
    return call_from(fields, separator=str(separator) if separator else None)


def line(row: Row) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerow(row)
    return written.getvalue().encode("utf-8", "replace")


class CallsCsv:
    name = "calls_csv"
    content_types = frozenset({"text/csv", "text/plain", "application/csv", "application/vnd.ms-excel"})

    def parse(self, payload: bytes, *, received_at: datetime, settings: Settings) -> Sequence[Item]:
        lines = rows(payload, settings)
        header = next(lines, None)
        if header is None:
            raise Unreadable("expected a header line")
        cells, times = places([cell.strip() for cell in header], settings), times_of(settings)
        return [self.one(row, cells, times, settings) for row in lines]

    def one(self, row: Row, cells: Mapping[str, int], times: Times, settings: Settings) -> Item:
        try:
            return read(row, cells, times, settings)
        except Unfit as unfit:
            return Rejected(unfit.reason, unfit.detail, line(row))

    def parts(self, payload: bytes, settings: Settings) -> Sequence[bytes]:
        return [line(row) for row in rows(payload, settings)][1:]
