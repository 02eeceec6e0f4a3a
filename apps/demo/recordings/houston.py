"""Houston's calls of a year, one row a call, rebuilt from polls 15 minutes apart of the city's public board."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from apps.demo.recordings.contract import Event, Feed, Part, UnknownRecording

POLL = timedelta(minutes=15)
CHUNK = 4096
COLUMNS = (
    "call_time", "first_seen", "last_seen", "agency", "type_first", "type_last", "alarm_level", "units",
    "address", "cross_street", "lon", "lat",
)  # fmt: skip
FEED = Feed(
    agency="houston",
    agency_name="Houston (recorded)",
    time_zone="America/Chicago",
    slug="houston-calls",
    name="Houston calls, recorded",
    adapter="calls_json",
    interval_s=POLL.total_seconds(),
)
URGENT = ("fire", "gas leak", "pedestrian", "shooting", "cardiac", "explosion")
SOON = ("ems", "major", "motorcycle", "motor vehicle", "/urgent", "fsgi", "fsra", "wire", "transformer")
LATER = ("non urgent", "check", "ck ", "asst", "detector")


def priority(type: str, alarm_level: int) -> str:
    """Map a type of the board, which carries no priority, to one of the default codes: our own reading, not the city's."""
    text = type.lower()
    if alarm_level >= 2 or any(word in text for word in URGENT):
        return "1"
    if any(word in text for word in LATER):
        return "4"
    return "2" if any(word in text for word in SOON) else "3"


class HoustonCalls:
    """A call is open from `first_seen` until one poll after `last_seen`. The data carries no call numbers: the number is
    the agency's letter and the row's place in the file, from 0."""

    feed = FEED

    def __init__(self, path: Path) -> None:
        self.path = path
        missing = set(COLUMNS) - set(pq.read_schema(path).names)
        if missing:
            raise UnknownRecording(f"{path.name} lacks the columns {', '.join(sorted(missing))} of Houston's calls")

    def span(self) -> tuple[datetime, datetime]:
        seen = pq.read_table(self.path, columns=["first_seen", "last_seen"])
        return pc.min(seen["first_seen"]).as_py(), pc.max(seen["last_seen"]).as_py() + POLL

    def rows(self, start: datetime, end: datetime) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the place and the facts of every call that is open at some moment from start to end, by `first_seen`.

        A year has half a million rows: they become Python objects a few thousand at a time.
        """
        table = pq.read_table(self.path, columns=list(COLUMNS))
        wanted = pc.and_(pc.less_equal(table["first_seen"], end), pc.greater(table["last_seen"], start - POLL))
        places = pc.indices_nonzero(wanted)
        places = places.take(pc.sort_indices(table["first_seen"].take(places)))
        for batch in table.take(places).append_column("place", places).to_batches(max_chunksize=CHUNK):
            yield from ((row.pop("place"), row) for row in batch.to_pylist())

    def events(self, start: datetime, end: datetime) -> Iterator[Event]:
        """Keep a heap of what is still to come of the calls that have begun."""
        coming: list[tuple[datetime, int, Event]] = []
        number = count()
        for place, row in self.rows(start, end):
            while coming and coming[0][0] <= row["first_seen"]:
                yield heappop(coming)[2]
            for event in story(place, row):
                heappush(coming, (event.at, next(number), event))
        while coming and coming[0][0] <= end:
            yield heappop(coming)[2]

    def bodies(self, parts: Sequence[Part]) -> list[Part]:
        return [{"calls": list(parts)}]


def story(place: int, row: dict[str, Any]) -> list[Event]:
    """Return what is told of one call: that it is there, that its type changed, that it has ended."""
    number = f"{row['agency']}-{place}"
    events = [Event(row["first_seen"], opening(number, row))]
    if row["type_last"] != row["type_first"] and row["last_seen"] > row["first_seen"]:
        events.append(Event(row["last_seen"], change(number, row)))
    ended = row["last_seen"] + POLL
    return [*events, Event(ended, {"number": number, "time": ended.isoformat(), "state": "closed"})]


def opening(number: str, row: dict[str, Any]) -> Part:
    units = (row["units"] or "").split()
    part: Part = {"number": number, "time": row["first_seen"].isoformat(), "state": "active" if units else "waiting"}
    part |= {"type": row["type_first"], "priority": priority(row["type_first"], row["alarm_level"] or 0), "units": units}
    part |= {"opened_at": row["call_time"].isoformat(), "address": row["address"] or "", "cross_streets": row["cross_street"] or ""}
    if row["lon"] is not None and row["lat"] is not None:
        part |= {"lon": row["lon"], "lat": row["lat"]}
    return part


def change(number: str, row: dict[str, Any]) -> Part:
    state = "active" if row["units"] else "waiting"
    facts = {"type": row["type_last"], "priority": priority(row["type_last"], row["alarm_level"] or 0)}
    return {"number": number, "time": row["last_seen"].isoformat(), "state": state, **facts}
