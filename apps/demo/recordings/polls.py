"""Raw answers of Houston's public board, as an ArcGIS REST `query` gave them, one a line with the time of the poll."""

import gzip
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import msgspec

from apps.demo.recordings.contract import Event, Feed, Part, UnknownRecording
from apps.demo.recordings.houston import POLL

# The board's own UID is cut from the latitude and shared by calls at one place; these four together are not.
MAPPING = {
    "fields": {
        "number_from": ["Agency", "CALL_TIME", "LONGITUDE", "LATITUDE"],
        "type": "IncidentType",
        "address": "Address",
        "cross_streets": "CrossStreet",
        "opened_at": "CALL_TIME",
        "units": "Units",
        "lon": "LONGITUDE",
        "lat": "LATITUDE",
    },
    "units_separator": ",",
}
FEED = Feed(
    agency="houston",
    agency_name="Houston (recorded)",
    time_zone="America/Chicago",
    slug="houston-board",
    name="Houston board, recorded polls",
    adapter="arcgis",
    interval_s=POLL.total_seconds(),
    settings=MAPPING,
)


class Poll(msgspec.Struct):
    """One line: when the answer was stored (unix seconds), and the answer itself."""

    committed_at: float
    feed: Part


class BoardPolls:
    feed = FEED

    def __init__(self, path: Path) -> None:
        self.path = path

    def polls(self) -> list[Event]:
        """Return every poll in the order of time. Raises UnknownRecording when a line is not one."""
        content = self.path.read_bytes()
        lines = gzip.decompress(content) if self.path.suffix == ".gz" else content
        try:
            polls = msgspec.json.Decoder(Poll).decode_lines(lines)
        except msgspec.DecodeError as error:
            raise UnknownRecording(f"{self.path.name} is not a recording of polls: {error}") from error
        return sorted((poll_event(poll) for poll in polls), key=lambda event: event.at)

    def span(self) -> tuple[datetime, datetime]:
        polls = self.polls()
        return polls[0].at, polls[-1].at

    def events(self, start: datetime, end: datetime) -> Iterator[Event]:
        """Begin with the last poll before the start, since it is the board at the start."""
        polls = self.polls()
        later = {first.at for first, second in pairwise(polls) if second.at <= start}
        return (event for event in polls if event.at not in later and event.at <= end)

    def bodies(self, parts: Sequence[Part]) -> list[Part]:
        return list(parts)


def poll_event(poll: Poll) -> Event:
    at = datetime.fromtimestamp(poll.committed_at, UTC)
    return Event(at, {"polled_at": poll.committed_at * 1000, "pages": [poll.feed]})
