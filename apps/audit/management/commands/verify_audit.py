"""`./rtcc run verify-audit`: go through the whole audit; exit code 1 when something is not as it was."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management.base import BaseCommand, CommandError

from apps.audit.connecting import own_connection
from apps.audit.head_book import book
from apps.audit.signing import KeyMissing
from apps.audit.verifying import Report, verify


class Command(BaseCommand):
    help = "Check every entry of the audit against its seal, and the chain against the heads that were written off the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--heads", type=Path, action="append", help="a folder of written heads (default: this instance's)")
        parser.add_argument("--public-key", help="64 hex digits, as `audit_key` prints them (default: this instance's key)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            heads = book(public_key(options["public_key"]), options["heads"])
        except KeyMissing as error:
            raise CommandError(str(error)) from error
        with own_connection() as connection:
            report = verify(connection, heads)
        for line in lines_of(report):
            self.stdout.write(line)
        if not report.is_whole:
            raise CommandError(f"the audit is NOT whole: {len(report.problems) + report.untold} problems, above")


def public_key(text: str | None) -> Ed25519PublicKey | None:
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text)) if text else None
    except ValueError as error:
        raise CommandError(f"--public-key is {text}, expected 64 hex digits") from error


def lines_of(report: Report) -> list[str]:
    """Return what is to be said, a sentence a line."""
    rate = f", {report.checked / report.took_s:,.0f} a second" if report.took_s > 0.05 else ""
    taken = f"in {report.took_s:.1f} s{rate}"
    lines = [f"{report.checked:,} entries checked from link {report.first} on {taken}; {report.heads:,} written heads"]
    if report.unsealed:
        lines.append(f"{report.unsealed:,} entries are not sealed yet, the oldest since {report.unsealed_since:%Y-%m-%d %H:%M:%S}")
    lines += [f"settled: {sentence}" for sentence in report.settled]
    if report.settled_untold:
        lines.append(f"settled: {report.settled_untold:,} more")
    lines += report.problems
    if report.untold:
        lines.append(f"and {report.untold:,} more")
    return [*lines, *(["the audit is whole"] if report.is_whole else [])]
