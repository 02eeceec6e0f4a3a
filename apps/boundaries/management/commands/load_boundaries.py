"""`manage.py load_boundaries FILE --agency SLUG --kind beat --code-field BEAT_NO`: load districts or beats from a file."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.instance import read_instance
from apps.accounts.models import Agency
from apps.boundaries.operations import Loaded, OlderThanCurrent, load
from apps.boundaries.reading import UnreadableBoundaries


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Load districts or beats from GeoJSON, Esri JSON or a zipped shapefile (GeoJSON and Esri JSON may be gzipped)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--agency", required=True, help="slug")
        parser.add_argument("--kind", required=True, help="district, beat, …")
        parser.add_argument("--code-field", required=True, help="the field that tells one area from another")
        parser.add_argument("--name-field")
        parser.add_argument("--from", dest="valid_from", type=day, help="day such as 2026-01-31 (UTC); default: now")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load(
                path=options["file"],
                agency=Agency.objects.get(slug=options["agency"]),
                kind=options["kind"],
                code_field=options["code_field"],
                name_field=options["name_field"],
                valid_from=options["valid_from"] or read_instance().clock.now(),
            )
        except Agency.DoesNotExist as error:
            raise CommandError(f'there is no agency "{options["agency"]}"') from error
        except (UnreadableBoundaries, OlderThanCurrent) as error:
            raise CommandError(str(error)) from error
        self.report(loaded)

    def report(self, loaded: Loaded) -> None:
        self.stdout.write(f"{loaded.made} made, {loaded.unchanged} unchanged, {loaded.ended} ended, {len(loaded.rejected)} refused")
        for bad in loaded.rejected:
            self.stdout.write(f"refused: number {bad.place} (code {bad.code or 'none'}): {bad.reason}")
