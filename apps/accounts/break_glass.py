"""Two sealed accounts for the day when nobody else can sign in: no second factor, no lock by name, and a pass phrase that opens once.

Each lies in an envelope. Opening one is told to all who administer until it is sealed again, and it ends with its session or after
12 hours, whichever comes first. Whatever its opener made to come in again ends with it.
"""

import secrets
from datetime import datetime
from typing import NamedTuple

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from apps.accounts import epoch
from apps.accounts.cutting import end_everything
from apps.accounts.models import Agency, BreakGlass, Member, Membership, Role
from apps.accounts.session_store import LONGEST
from apps.audit.operations import record

NAMES = ("break-glass-1", "break-glass-2")
GROUPS, LETTERS = 8, 5
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without letters that are taken for digits; a phrase has 200 random bits."""


class NameTaken(Exception):
    """Somebody who is not a sealed account has its name."""


class Sealed(NamedTuple):
    name: str
    phrase: str


def new_phrase() -> str:
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(LETTERS)) for _ in range(GROUPS))


@transaction.atomic
def seal(*, at: datetime) -> list[Sealed]:
    """Give both accounts new pass phrases, which are told once, and end whatever sessions they have. Raises NameTaken."""
    sealed = [_seal(name, at) for name in NAMES]
    epoch.tell()
    return sealed


def _seal(name: str, at: datetime) -> Sealed:
    if Member.objects.filter(username=name, break_glass=None).exists():
        raise NameTaken(f"a member is called {name}; rename them first")
    member, _ = Member.objects.get_or_create(username=name, defaults={"first_name": "Break glass", "last_name": name[-1]})
    phrase = new_phrase()
    member.set_password(phrase)
    member.is_staff = member.is_superuser = member.is_active = True
    member.save()
    BreakGlass.objects.update_or_create(member=member, defaults={"sealed_at": at, "opened_at": None, "ended_at": None})
    ships = [Membership(member=member, agency=agency, role=Role.ADMINISTRATOR) for agency in Agency.objects.only("pk")]
    Membership.objects.bulk_create(ships, ignore_conflicts=True)
    _end_ways_in(member, at)
    record("break_glass_sealed", target=f"member:{member.pk}", detail={"name": name})
    return Sealed(name, phrase)


def _end_ways_in(member: Member, at: datetime) -> None:
    """End what opens the account beside its phrase: sessions, tokens, second factors, accounts at an issuer."""
    end_everything(member, at=at)
    Authenticator.objects.filter(user=member).delete()
    SocialAccount.objects.filter(user=member).delete()


def ends_at(member: AbstractBaseUser, *, at: datetime) -> datetime:
    """Return when a session that begins now must be over: however often a phrase is used, its 12 hours are those of the first time."""
    row = BreakGlass.objects.filter(member_id=member.pk, opened_at__isnull=False).first()
    return (row.opened_at if row and row.opened_at else at) + LONGEST


def is_break_glass(name: str) -> bool:
    return BreakGlass.objects.filter(member__username__iexact=name).exists()


def is_spent(name: str, *, at: datetime) -> bool:
    """Say whether the phrase was used up: its session ended, or 12 hours went by."""
    spent = BreakGlass.objects.filter(member__username__iexact=name, opened_at__isnull=False)
    return any(row.ended_at is not None or row.opened_at + LONGEST <= at for row in spent if row.opened_at)


@transaction.atomic
def opened(member: AbstractBaseUser, *, at: datetime) -> None:
    """Note the first use. Does nothing for who is no sealed account."""
    if BreakGlass.objects.filter(member_id=member.pk, opened_at=None).update(opened_at=at):
        record("break_glass_opened", target=f"member:{member.pk}", name=member.get_username())


@transaction.atomic
def ended(member: AbstractBaseUser, *, at: datetime) -> None:
    """The session is over: the phrase opens nothing any more. Does nothing for who is no sealed account."""
    if BreakGlass.objects.filter(member_id=member.pk, opened_at__isnull=False, ended_at=None).update(ended_at=at):
        person = Member.objects.get(pk=member.pk)
        person.set_unusable_password()
        person.save(update_fields=["password"])
        _end_ways_in(person, at)
        record("break_glass_ended", target=f"member:{member.pk}", name=person.username)
        epoch.tell()


def broken_seals() -> list[BreakGlass]:
    """Return the accounts that were opened and not sealed since."""
    return list(BreakGlass.objects.filter(opened_at__isnull=False).select_related("member").order_by("opened_at"))
