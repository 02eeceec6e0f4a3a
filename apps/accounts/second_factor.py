"""The second factor: authenticator apps (TOTP), passkeys and recovery codes, kept by allauth. A code is used once (RFC 6238, 5.2)."""

import logging
import time
from datetime import datetime

from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.utils.crypto import constant_time_compare

from apps.accounts import vault
from apps.accounts.models import Member, MemberSession
from apps.audit.operations import record

log = logging.getLogger(__name__)
STRONG = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
ENTITLED = "SELECT accounts_is_entitled(%s)"


class SecondFactor(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This code is not right, or it was used already. Wait for the next one.",
        "locked": "Too many wrong codes: this name is locked until an administrator releases it.",
    }

    def encrypt(self, text: str) -> str:
        return vault.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return vault.decrypt(encrypted_text)

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        return user.get_username()

    def generate_authenticator_name(self, user: AbstractBaseUser, type: str) -> str:
        return f"Passkey {Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": settings.ORIGIN.host, "name": "RTCC Geo"}


def is_entitled(member_id: int) -> bool:
    """Say whether a member's roles count: an operational instance asks for a second factor. Reads the same function as the rights do."""
    with connection.cursor() as cursor:
        cursor.execute(ENTITLED, [member_id])
        row = cursor.fetchone()
    return bool(row and row[0])


@transaction.atomic
def use_code(member: Member, code: str, *, at: datetime) -> Authenticator | None:
    """Use up a code of the member's app, or a recovery code. Return where it came from; None when it is wrong or was used. Locks both."""
    typed = "".join(code.split())
    for authenticator in Authenticator.objects.select_for_update().filter(user=member).exclude(type=Authenticator.Type.WEBAUTHN):
        try:
            fits = _use(authenticator, typed, at)
        except vault.Unreadable:
            log.error("a second factor (%s) of member %s cannot be read with this instance's secret key", authenticator.type, member.pk)
            continue
        if fits:
            if authenticator.type == Authenticator.Type.RECOVERY_CODES:
                record("recovery_code_used", target=f"member:{member.pk}", name=member.username)
            return authenticator
    return None


def _use(authenticator: Authenticator, code: str, at: datetime) -> bool:
    """Raises vault.Unreadable."""
    if authenticator.type == Authenticator.Type.TOTP:
        return _use_totp(authenticator, code, at)
    return bool(authenticator.wrap().validate_code(code))


def _use_totp(authenticator: Authenticator, code: str, at: datetime) -> bool:
    """Take a code whose period is later than that of the last one taken."""
    secret = vault.decrypt(authenticator.data["secret"])
    for counter in counters(at.timestamp()):
        if counter > authenticator.data.get("counter", -1) and constant_time_compare(code, format_hotp_value(hotp_value(secret, counter))):
            authenticator.data["counter"] = counter
            authenticator.save(update_fields=["data"])
            return True
    return False


def counters(seconds: float) -> list[int]:
    """Return the periods whose codes are taken at a time: phones and servers may be half a minute apart."""
    now = int(seconds) // app_settings.TOTP_PERIOD
    return [now + step for step in range(-app_settings.TOTP_TOLERANCE, app_settings.TOTP_TOLERANCE + 1)]


@transaction.atomic
def remove(member: Member, *, reason: str) -> None:
    """Take away whatever second factor a member has, as after a lost phone, and end their sessions."""
    Authenticator.objects.filter(user=member).delete()
    record("second_factor_reset", target=f"member:{member.pk}", reason=reason)
    MemberSession.objects.filter(member=member).delete()


def mark_activation(authenticator: Authenticator) -> None:
    """The code that proved a new app is used up with it."""
    if authenticator.type == Authenticator.Type.TOTP:
        authenticator.data.setdefault("counter", counters(time.time())[-1])
