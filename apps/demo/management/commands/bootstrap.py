"""`manage.py bootstrap --kind demo|operational`: make this database usable. Safe to run again and again."""

import json
import secrets
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts.instance import read_instance
from apps.accounts.models import Agency, Instance, InstanceKind, Member, Role
from apps.accounts.operations import give_default_grants, join, make_administrator
from apps.demo.city import prepare
from apps.layers.registry import names

USERNAME = "admin"


class Command(BaseCommand):
    help = "Make the instance, its first administrator and, for a demonstration, its city. Prints one line of JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", choices=InstanceKind.values, required=True)

    def handle(self, *args: Any, kind: str, **options: Any) -> None:
        with transaction.atomic():
            make_instance(kind)
            password = first_password()
        if kind == InstanceKind.DEMO:
            prepare(at=read_instance().clock.now(), state_folder=Path(settings.STATE_FOLDER))
        give_administrator_every_agency()
        for agency in Agency.objects.defer("area"):
            give_default_grants(agency=agency, layers=names())
        self.stdout.write(json.dumps({"username": USERNAME, "password": password, "kind": kind}))


def make_instance(kind: str) -> None:
    """Make the instance's row, or refuse when the database is of the other kind: what is demonstrated never mixes with duty."""
    now = datetime.now(UTC)
    line = {"clock_t0": now, "clock_real0": now} if kind == InstanceKind.DEMO else {}
    instance, _ = Instance.objects.get_or_create(id=1, defaults={"kind": kind, **line})
    if instance.kind != kind:
        raise CommandError(f"this database is {instance.get_kind_display().lower()}; a {kind} instance needs its own")


def first_password() -> str | None:
    """Make the first administrator if there is no administrator; return the password that only this run knows."""
    if Member.objects.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    make_administrator(username=USERNAME, password=password)
    return password


def give_administrator_every_agency() -> None:
    for member in Member.objects.filter(is_superuser=True):
        held = member.memberships.filter(role=Role.ADMINISTRATOR).values("agency")
        for agency in Agency.objects.exclude(pk__in=held):
            join(member=member, agency=agency, role=Role.ADMINISTRATOR)
