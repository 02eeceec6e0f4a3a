"""`manage.py make_source`: a source and its key in one line; the key is printed this once."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from apps.accounts.instance import NoInstance, read_instance
from apps.accounts.models import Agency, InstanceKind, Origin
from apps.accounts.operations import UnknownTimeZone, let_administrators_in, make_agency
from apps.ingest.adapters import ADAPTERS
from apps.ingest.models import Source
from apps.ingest.operations import UnknownAdapter, WrongOrigin, create_source, issue_key
from apps.layers.registry import names as layer_names


def value_of(text: str) -> Any:
    """Read JSON where it is JSON (a list, a number, true), else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def settings_of(pairs: list[str], url: str | None) -> dict[str, Any]:
    """Turn key=value, with dots for what lies inside (fields.type=IncidentType), into settings. Raises CommandError."""
    settings: dict[str, Any] = {"url": url} if url else {}
    for pair in pairs:
        path, found, text = pair.partition("=")
        if not found or not path:
            raise CommandError(f'--set {pair}: expected key=value, such as fields.type=IncidentType')
        *outer, last = path.split(".")
        inside = settings
        for name in outer:
            inside = inside.setdefault(name, {})
        inside[last] = value_of(text)
    return settings


def usual_origin() -> str:
    """Raises CommandError."""
    try:
        kind = read_instance().kind
    except NoInstance as error:
        raise CommandError(str(error)) from error
    return Origin.LIVE.value if kind == InstanceKind.OPERATIONAL.value else Origin.SIMULATED.value


def agency_of(slug: str, name: str | None, time_zone: str) -> Agency:
    """Raises CommandError, and accounts' UnknownTimeZone."""
    agency = Agency.objects.filter(slug=slug).first()
    if agency is None and name:
        agency = make_agency(slug=slug, name=name, layers=layer_names(), time_zone=time_zone)
        let_administrators_in(agency=agency)
        return agency
    if agency is None:
        known = ", ".join(Agency.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f'no agency is called "{slug}" (there are: {known}); --agency-name "…" makes it')
    return agency


class Command(BaseCommand):
    help = "Create a source, print its address and its key (once)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--agency", required=True, help="the agency's slug")
        parser.add_argument("--agency-name", help="make the agency under this name when there is none of that slug")
        parser.add_argument("--time-zone", default="", help="of an agency that is made, such as America/Chicago")
        parser.add_argument("--adapter", required=True, choices=sorted(ADAPTERS))
        parser.add_argument("--name", required=True)
        parser.add_argument("--slug", help="part of the address; made from the name when missing")
        parser.add_argument("--origin", choices=Origin.values, help="live (operational) or simulated (demo) when missing")
        parser.add_argument("--url", help="for arcgis: the layer's address, polled by `listen`")
        parser.add_argument("--interval", type=float, default=10, help="seconds between reports of a device or call")
        parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting; dots reach inside")

    def handle(self, *args: object, **options: Any) -> None:
        slug = options["slug"] or slugify(options["name"])
        try:
            source, key = self.make(slug, options)
        except (UnknownAdapter, WrongOrigin, UnknownTimeZone) as error:
            raise CommandError(str(error)) from error
        except IntegrityError as error:
            raise CommandError(f'a source with the slug "{slug}" exists already; give another --slug') from error
        self.stdout.write(f"source  {source.slug}: POST /ingest/{source.slug}")
        self.stdout.write(f"key     {key} (shown once)")

    @transaction.atomic
    def make(self, slug: str, options: dict[str, Any]) -> tuple[Source, str]:
        source = create_source(
            agency=agency_of(options["agency"], options["agency_name"], options["time_zone"]), slug=slug, name=options["name"],
            adapter=options["adapter"], interval_s=options["interval"], origin=options["origin"] or usual_origin(),
            settings=settings_of(options["set"], options["url"]),
        )  # fmt: skip
        return source, issue_key(source, None)
