"""Begin and end a replay: its agency and source, who may see it, the clock, and the way back to the simulated patrol."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from apps.accounts.models import Agency, Membership, Origin
from apps.accounts.operations import join, let_administrators_in, make_agency
from apps.demo import stage
from apps.demo.city import SLUG, SOURCES
from apps.demo.keys import door_of
from apps.demo.recordings.contract import Feed, Recording
from apps.demo.replay import Sender, real_now
from apps.demo.sources import Wanted, ensure
from apps.demo.stage import Line
from apps.layers.registry import names

LEAD_IN = timedelta(seconds=stage.KNOWN_EVERYWHERE_S + 3)


@dataclass(frozen=True)
class Replay:
    """A replay that has begun: the generation of its history, and what sends it."""

    generation: int
    sender: Sender
    start: datetime
    end: datetime


def open_replay(recording: Recording, *, start: datetime, end: datetime, speed: float) -> Replay:
    """Empty what moves and set the clock; return when it shows `start`, by when every process knows it.

    Raises stage.NotADemonstration, accounts.instance.NoInstance.
    """
    stage.check_demonstration()
    ensure_source(recording.feed)
    real_start = real_now() + LEAD_IN
    generation = stage.begin_anew(Line(start, real_start, speed), [recording.feed.slug])
    time.sleep(max(0.0, (real_start - real_now()).total_seconds()))
    door = door_of(recording.feed.slug, Origin.REPLAYED)
    return Replay(generation, Sender(recording, door, recording.events(start, end)), start, end)


def ensure_source(feed: Feed) -> None:
    """Make the agency and the source of a recording if they are missing; whoever runs the demonstration sees them."""
    agency = Agency.objects.filter(slug=feed.agency).first() or make_agency(
        slug=feed.agency, name=feed.agency_name, layers=names(), time_zone=feed.time_zone
    )
    let_in(agency)
    wanted = Wanted(feed.slug, feed.name, feed.adapter, Origin.REPLAYED, feed.interval_s, feed.settings)
    ensure(wanted, agency=agency, state_folder=Path(settings.STATE_FOLDER), at=real_now())


def let_in(agency: Agency) -> None:
    """Give the demonstration's members the same roles in a replayed agency."""
    for ship in Membership.objects.filter(agency__slug=SLUG).select_related("member"):
        join(member=ship.member, agency=agency, role=ship.role)
    let_administrators_in(agency=agency)


def leave_running(replay: Replay, *, at: datetime) -> None:
    """End the sending: the clock goes on from `at` at the speed of real time."""
    stage.set_line(Line(at, real_now(), 1.0), generation=replay.generation)


def back_to_patrol() -> None:
    """Empty what was replayed, set the real time and listen to the simulated patrol. Raises stage.NotADemonstration."""
    stage.begin_anew(stage.REAL_TIME, [wanted.slug for wanted in SOURCES])
