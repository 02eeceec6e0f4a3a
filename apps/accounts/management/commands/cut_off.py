"""`manage.py cut_off NAME --reason "…"`: end everything a member has here, at once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts.cutting import cut_off
from apps.accounts.models import Member


class Command(BaseCommand):
    help = "Cut a member off: sign-in, sessions, live maps and, when asked, the keys that they made. Within five seconds nothing works."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--reason", default="")
        parser.add_argument("--revoke-keys", action="store_true", help="also end the keys of sources that the member made")

    def handle(self, *args: Any, name: str, reason: str, revoke_keys: bool, **options: Any) -> None:
        member = Member.objects.filter(username=name).first()
        if member is None:
            raise CommandError(f"nobody is called {name}")
        cut = cut_off(member=member, by=None, reason=reason, at=timezone.now(), revoke_keys=revoke_keys)
        self.stdout.write(f"{name} is cut off; keys revoked: {len(cut.revoked)}, keys of theirs that go on: {len(cut.left)}")
