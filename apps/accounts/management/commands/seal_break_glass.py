"""`manage.py seal_break_glass`: give the two sealed accounts new pass phrases and print them, once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts.break_glass import NameTaken, seal


class Command(BaseCommand):
    help = "Give the two break-glass accounts new pass phrases. They are printed once: put each in an envelope of its own and seal it."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sealed = seal(at=timezone.now())
        except NameTaken as error:
            raise CommandError(str(error)) from error
        for account in sealed:
            self.stdout.write(f"{account.name}  {account.phrase}")
