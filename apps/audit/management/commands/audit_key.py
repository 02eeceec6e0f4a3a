"""`./rtcc run audit-key`: print the public key, to be kept where the server's owner cannot change it."""

from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management.base import BaseCommand, CommandError

from apps.audit.heads import own_key
from apps.audit.signing import KeyMissing


class Command(BaseCommand):
    help = "Print the public key that the written heads of the audit are signed with."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = own_key().public_key()
        except KeyMissing as error:
            raise CommandError(str(error)) from error
        self.stdout.write(key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex())
