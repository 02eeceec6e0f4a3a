"""`./rtcc run audit-settled --reason …`: what is wrong with the audit now was looked into; exactly that is told as settled."""

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
    help = "Close what is found wrong with the audit now, and nothing else. Signed, dated, with a reason, for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, reason: str, **options: Any) -> None:
        why = reason.strip()[:300]
        if not why:
            raise CommandError("--reason is empty")
        with own_connection() as connection:
            try:
                report = verify(connection)
                link = put_in_order(connection)
                head = heads.head_now(link, 0, datetime.now(UTC), settled=why, found=sorted(report.marks))
                wrong = heads.write(head, heads.own_key())
            except KeyMissing as error:
                raise CommandError(str(error)) from error
        if wrong:
            raise CommandError("; ".join(wrong))
        count = len(report.problems) + report.untold
        record("audit_settled", target=f"audit:{link.sequence}", count=count, reason=why, detail={"found": report.problems})
        for sentence in report.problems:
            self.stdout.write(f"settled: {sentence}")
        self.stdout.write(f"settled, with exactly what was found: {count} problems")
