"""`./rtcc run audit-settled --reason …`: what was found wrong with the audit was looked into; from now on it is told as settled."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.audit import heads
from apps.audit.connecting import own_connection
from apps.audit.operations import record
from apps.audit.settling import put_in_order
from apps.audit.signing import KeyMissing
from apps.audit.verifying import verify


class Command(BaseCommand):
    help = "Close what was found wrong with the audit, up to its newest link. Signed, dated, with a reason, for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, reason: str, **options: Any) -> None:
        why = reason.strip()[:300]
        if not why:
            raise CommandError("--reason is empty")
        with own_connection() as connection:
            try:
                found = verify(connection).problems
                link = put_in_order(connection)
                wrong = heads.write(heads.head_now(link, 0, datetime.now(UTC), settled=why), heads.own_key())
            except KeyMissing as error:
                raise CommandError(str(error)) from error
        if wrong:
            raise CommandError("; ".join(wrong))
        record("audit_settled", target=f"audit:{link.sequence}", count=len(found), reason=why, detail={"found": found})
        self.stdout.write(f"settled up to link {link.sequence}: {len(found)} problems")
