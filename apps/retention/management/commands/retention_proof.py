"""The daily proof of retention: numbers of a day, and whether any line was changed since."""

import json
import os
from argparse import ArgumentParser
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.instance import read_instance
from apps.retention import proof
from apps.retention.models import Proof


class Command(BaseCommand):
    help = "Print the newest proof of retention, or that of --day, as lines of JSON, and check the digests of all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--day", type=date.fromisoformat, help="such as 2026-11-25")
        parser.add_argument("--now", action="store_true", help="count as of now, and store nothing")
        parser.add_argument("--close", action="store_true", help="first write the proofs of days that are over")

    def handle(self, *args: Any, **options: Any) -> None:
        at, real, process = read_instance().clock.now(), datetime.now(UTC), f"command {os.getpid()}"
        for day in proof.due_days(at) if options["close"] else ():
            proof.close_day(day, at=at, real=real, process=process)
        lines = proof.lines_of(at.date(), at=at, real=real, process=process) if options["now"] else self.stored(options["day"])
        for line in lines:
            said = {name: getattr(line, name) for name in (*proof.SIGNED, "digest")}
            self.stdout.write(json.dumps(said, default=str))
        changed = proof.first_changed()
        if changed is not None:
            raise CommandError(f"the proof of {changed.day} was changed: {changed.data_class}, {changed.table}, agency {changed.agency_id}")

    def stored(self, day: date | None) -> list[Proof]:
        wanted = day or Proof.objects.order_by("-pk").values_list("day", flat=True).first()
        lines = list(Proof.objects.filter(day=wanted).order_by("pk")) if wanted else []
        if not lines:
            raise CommandError(f"there is no proof of {day}" if day else "there is no proof yet: the first is written when a day is over")
        return lines
