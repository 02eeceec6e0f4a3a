"""`manage.py release_sign_in NAME`: let a name sign in again that was locked for wrong passwords."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.lock_out import release


class Command(BaseCommand):
    help = "Let a name sign in again that was locked for wrong passwords."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        if not release(name):
            raise CommandError(f"{name} is not locked")
        self.stdout.write(f"{name} may sign in again")
