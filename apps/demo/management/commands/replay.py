"""./rtcc replay FILE --speed N --from T: recorded data through the front door."""

import signal
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.instance import NoInstance, read_instance
from apps.demo import opening
from apps.demo.front_door import Refused
from apps.demo.opening import Replay
from apps.demo.recordings import recording_of
from apps.demo.recordings.contract import Recording, UnknownRecording
from apps.demo.replay import Count, Interrupted, lag_s, run
from apps.demo.stage import NotADemonstration

FASTEST = 3600.0


class Command(BaseCommand):
    help = (
        "Replay recorded data (Houston's calls, San Francisco's cabs, raw polls of a board) through the front door on the simulated clock. "
        "It first EMPTIES the demonstration's moving data: tracks, positions, calls, queue, presences, transitions."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="a recording, or a folder of GPS files")
        parser.add_argument("--speed", type=float, default=60, help="times real time, up to 3600 (60)")
        parser.add_argument("--from", dest="start", type=moment, help="ISO time, UTC unless it says otherwise (the recording's first)")
        parser.add_argument("--to", dest="end", type=moment, help="ISO time (the recording's last)")
        parser.add_argument("--stop", action="store_true", help="empty what was replayed and go back to the simulated patrol")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["stop"]:
                opening.back_to_patrol()
                self.stdout.write("the replayed data is emptied; the clock shows real time and the simulated patrol goes on")
            else:
                self.replay(options)
        except (NotADemonstration, NoInstance, UnknownRecording, Refused, Interrupted) as error:
            raise CommandError(str(error)) from error

    def replay(self, options: dict[str, Any]) -> None:
        if options["file"] is None:
            raise CommandError("name the recording to replay, or --stop")
        if not 0 < options["speed"] <= FASTEST:
            raise CommandError(f"--speed is {options['speed']:g}, expected a number above 0 and up to {FASTEST:g}")
        recording = recording_of(options["file"])
        start, end = window(recording, options["start"], options["end"])
        self.stdout.write("emptying the demonstration's moving data (tracks, positions, calls, queue, presences, transitions)")
        replay = opening.open_replay(recording, start=start, end=end, speed=options["speed"])
        self.stdout.write(
            f"replaying {recording.path.name} from {start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC at {options['speed']:g}×"
        )
        self.play(replay)
        self.sum_up(replay.sender.count)

    def play(self, replay: Replay) -> None:
        """Send to the end, or until Ctrl-C or SIGTERM; then let the clock go on at the speed of real time."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            run(replay.sender, generation=replay.generation, end=replay.end, tell=self.tell)
        except KeyboardInterrupt:
            self.stdout.write("stopped here")
        opening.leave_running(replay, at=read_instance().clock.now())

    def tell(self, count: Count, now: datetime) -> None:
        counts = f"sent {count.sent:>8,}  accepted {count.accepted:>8,}  rejected {count.rejects:>5,}"
        self.stdout.write(f"{now:%Y-%m-%d %H:%M:%S}  {counts}  lag {lag_s(count, now):.0f} s")
        self.stdout.flush()

    def sum_up(self, count: Count) -> None:
        self.stdout.write(
            f"acknowledged: {count.sent:,} sent in {count.posts:,} posts, {count.accepted:,} accepted, {count.rejects:,} rejected"
        )
        for reason, number in count.rejected.most_common():
            self.stdout.write(f"  {reason}: {number:,}")
        self.stdout.write("the clock goes on at 1×; ./rtcc replay --stop goes back to the simulated patrol")


def moment(text: str) -> datetime:
    """Read an ISO time; without an offset it is UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def window(recording: Recording, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    first, last = recording.span()
    start, end = start or first, end or last
    if start >= end:
        raise UnknownRecording(f"--from {start:%Y-%m-%d %H:%M} is not before --to {end:%Y-%m-%d %H:%M}")
    if start > last or end < first:
        raise UnknownRecording(f"{recording.path.name} holds {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC")
    return start, end
