"""Drive the simulated patrol, forever."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.demo.driving import drive


class Command(BaseCommand):
    help = "Send the simulated patrol of a demonstration through the front door, until stopped. It pauses while recorded data is replayed."

    def handle(self, *args: Any, **options: Any) -> None:
        drive(say=self.stdout.write)
