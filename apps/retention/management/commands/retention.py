"""Rules and what is due; `--now` removes it."""

import os
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from apps.accounts.instance import read_instance
from apps.accounts.models import Agency
from apps.audit.acting import Acting, acting_as
from apps.retention.models import Turn
from apps.retention.queries import overdue
from apps.retention.registry import classes
from apps.retention.rules import rules_at
from apps.retention.turn import Done, Work, take_turn
from apps.retention.wording import duration

WAIT_S = 2.0
TRIES = 5
"""So often is tried what is refused while nothing else is left: a lock or a reader is gone by then."""


class Command(BaseCommand):
    help = "Show the rules in force, what is older than they allow, and the last run; with --now remove it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", action="store_true", help="take one turn now")
        parser.add_argument(
            "--until-done", action="store_true",
            help="with --now: go on until nothing is left, also of what had been removed before a backup was restored",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        if options["until_done"] and not options["now"]:
            raise CommandError("--until-done goes with --now")
        with acting_as(lambda: Acting(road="command")):
            if options["now"]:
                self.remove(until_done=options["until_done"])
            else:
                self.show()

    def remove(self, *, until_done: bool) -> None:
        """Take turns; another process that is at it is waited for. Raises CommandError when only what is refused is left."""
        total: dict[str, int] = {}
        tries = 0
        while True:
            done = self.turn(after_restore=until_done)
            for name, count in done.removed.items() if done else ():
                total[name] = total.get(name, 0) + count
            if done is not None and (done.finished or not until_done):
                break
            if done is None and not until_done:
                raise CommandError("another process removes what is old at this moment")
            tries = tries + 1 if done is not None and done.is_stuck and not done.removed else 0
            if done is not None and tries == TRIES:
                raise CommandError("not removed: " + "; ".join(f"{name}: {why}" for name, why in done.failed.items()))
            for name, why in done.failed.items() if done else ():
                self.stderr.write(f"{name}: {why}; trying again")
            time.sleep(WAIT_S if done is None or done.failed else 0)
        for name, count in total.items():
            self.stdout.write(f"removed {count} of {classes()[name].title.lower()}")
        self.stdout.write("nothing older than its rule is left" if done and done.finished else "there is more; run it again")

    def turn(self, *, after_restore: bool) -> Done | None:
        at = read_instance().clock.now()
        return take_turn(at=at, real=datetime.now(UTC), process=f"command {os.getpid()}", after_restore=after_restore)

    def show(self) -> None:
        at = read_instance().clock.now()
        rules, slugs = rules_at(at), dict(Agency.objects.order_by("pk").values_list("pk", "slug"))
        work = Work.plan(at, datetime.now(UTC), None)
        for name, one in classes().items():
            general = rules.of(name, None)
            self.stdout.write(f"{one.title}: {duration(general.keep)}, {general.legal_source}; due now: {self.due(name, work)}")
            for agency, slug in slugs.items():
                own = rules.of(name, agency)
                if one.by_agency and own.keep != general.keep:
                    self.stdout.write(f"  {slug}: {duration(own.keep)}, {own.legal_source}")
        last = Turn.objects.first()
        self.stdout.write(f"Last run: {last.ended_at:%Y-%m-%d %H:%M:%S} UTC by {last.process}" if last else "It has not run yet.")

    def due(self, name: str, work: Work) -> str:
        try:
            return str(overdue(classes()[name], work.limits[name])) if classes()[name].folder is None else "files"
        except OperationalError:
            return "more than can be counted in 20 s"
