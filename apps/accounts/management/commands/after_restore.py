"""`manage.py after_restore --reached MOMENT`: called by ./rtcc restore."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.restored import settle_restored


class Command(BaseCommand):
    help = "End every session and count the generation up, after a database was restored to a moment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reached", required=True, help="the time of the last commit that was restored")

    def handle(self, *args: Any, reached: str, **options: Any) -> None:
        self.stdout.write(f"{settle_restored(reached=reached)} sessions ended")
