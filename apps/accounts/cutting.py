"""Cut a member off: whatever they have here ends in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from apps.accounts import epoch
from apps.accounts.models import ApiKey, Member
from apps.accounts.operations import revoke_key
from apps.audit.operations import record

Ending = Callable[..., object]


@dataclass
class Cut:
    """The keys of sources that the member made: those ended with them, and those that go on."""

    revoked: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def end_everything(member: Member, *, at: datetime) -> None:
    """Run all of ENDS_WITH_MEMBER, in the transaction that is open."""
    for path in settings.ENDS_WITH_MEMBER:
        ending: Ending = import_string(path)
        ending(member, at=at)


@transaction.atomic
def cut_off(*, member: Member, by: Member | None, reason: str, at: datetime, revoke_keys: bool = False) -> Cut:
    """Make a member inactive and run all of ENDS_WITH_MEMBER; live sockets close with the new grant epoch. Locks the member's row."""
    Member.objects.select_for_update().get(pk=member.pk)
    member.is_active = False
    member.save(update_fields=["is_active"])
    end_everything(member, at=at)
    cut = Cut()
    for key in ApiKey.objects.filter(created_by=member, revoked_at=None):
        if revoke_keys:
            revoke_key(key=key, at=at)
        (cut.revoked if revoke_keys else cut.left).append(key.prefix)
    detail = {"by": by.username if by else "", "keys_revoked": cut.revoked, "keys_left": cut.left}
    record("cut_off", target=f"member:{member.pk}", reason=reason, detail=detail)
    epoch.tell()
    return cut
