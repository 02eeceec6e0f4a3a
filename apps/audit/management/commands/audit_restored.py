"""`./rtcc run audit-restored --reason …`: after the database was put back to an earlier moment, say so beside the written heads."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.audit import heads
from apps.audit.chain import last_link
from apps.audit.connecting import own_connection
from apps.audit.operations import record
from apps.audit.signing import KeyMissing


class Command(BaseCommand):
    help = "Accept that the chain ends earlier than a written head: the database was restored. Signed, dated, with a reason, for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, reason: str, **options: Any) -> None:
        if not reason.strip():
            raise CommandError("--reason is empty")
        with own_connection() as connection, connection.cursor() as cursor:
            link = last_link(cursor)
        try:
            wrong = heads.write(heads.head_now(link, 0, datetime.now(UTC), restored=reason.strip()[:300]), heads.own_key())
        except KeyMissing as error:
            raise CommandError(str(error)) from error
        if wrong:
            raise CommandError("; ".join(wrong))
        record("audit_restored", target=f"audit:{link.sequence}", reason=reason.strip())
        self.stdout.write(f"the chain goes on after link {link.sequence}; heads that were written later are void")
