"""Writes to agencies, members, grants and keys. Each ends with the new epoch's hint, after commit."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from zoneinfo import available_timezones

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from apps.accounts import epoch
from apps.accounts.models import Action, Agency, ApiKey, DefaultsGiven, Grant, Member, Membership, PriorityCode, Role, StatusCode
from apps.accounts.profile import PRIORITIES, SHIFTS, STATUSES
from apps.audit.operations import record

OWN_VIEWERS = (Role.DISPATCHER, Role.ANALYST, Role.COMMAND, Role.OFFICER, Role.ADMINISTRATOR)


class UnknownTimeZone(ValueError):
    """The name is not one of the IANA time zones."""


@dataclass(frozen=True)
class NewKey:
    """A key just made; `text` is shown once and stored nowhere."""

    key: ApiKey
    text: str


@transaction.atomic
def make_agency(*, slug: str, name: str, layers: Iterable[str], time_zone: str = "") -> Agency:
    """Make an agency with the default profile and codes; its members (not partners) may see its own `layers`.

    Pass `layers.registry.names()`. An empty time zone is allowed and shown as unset. Raises UnknownTimeZone, IntegrityError.
    """
    if time_zone and time_zone not in available_timezones():
        raise UnknownTimeZone(f'"{time_zone}" is not a time zone, expected a name such as "America/Chicago"')
    agency = Agency.objects.create(slug=slug, name=name, time_zone=time_zone, shifts=SHIFTS)
    record("agency_made", target=f"agency:{agency.pk}", agency_id=agency.pk, detail={"name": name, "time_zone": time_zone})
    give_defaults(agency=agency, layers=layers)
    return agency


@transaction.atomic
def give_defaults(*, agency: Agency, layers: Iterable[str]) -> None:
    """Give an agency that was just made the default codes and grants."""
    StatusCode.objects.bulk_create(StatusCode(agency=agency, **status._asdict()) for status in STATUSES)
    PriorityCode.objects.bulk_create(PriorityCode(agency=agency, **priority._asdict()) for priority in PRIORITIES)
    give_default_grants(agency=agency, layers=layers)


@transaction.atomic
def give_default_grants(*, agency: Agency, layers: Iterable[str]) -> None:
    """Let every role of the agency but partners see the agency's own layers: each layer once, so that a grant that was withdrawn is
    not given back. Locks the agency's row."""
    Agency.objects.select_for_update().only("pk").get(pk=agency.pk)
    new = sorted(set(layers) - set(agency.defaults_given.values_list("layer", flat=True)))
    if not new:
        return
    wanted = [Grant(role=role, holder=agency, layer=layer, agency=agency) for layer in new for role in OWN_VIEWERS]
    Grant.objects.bulk_create(wanted, ignore_conflicts=True)
    DefaultsGiven.objects.bulk_create(DefaultsGiven(agency=agency, layer=layer) for layer in new)
    record("default_grants_given", target=f"agency:{agency.pk}", agency_id=agency.pk, count=len(wanted), detail={"layers": new})
    epoch.tell()


@transaction.atomic
def give_grant(*, role: str, holder: Agency, layer: str, agency: Agency, action: str = Action.VIEW) -> Grant:
    """Let a role of `holder` see (or change) a layer of `agency`. Giving it twice is giving it once."""
    grant, is_new = Grant.objects.get_or_create(role=role, holder=holder, layer=layer, agency=agency, action=action)
    if is_new:
        _record_grant("grant_given", grant)
    epoch.tell()
    return grant


@transaction.atomic
def withdraw_grant(*, grant: Grant) -> None:
    _record_grant("grant_withdrawn", grant)
    grant.delete()
    epoch.tell()


def _record_grant(act: str, grant: Grant) -> None:
    concerned = sorted({grant.agency_id, grant.holder_id})
    several = {"agencies": concerned} if len(concerned) > 1 else {}
    agency_id = grant.agency_id if not several else None
    record(act, target=f"grant:{grant.pk}", agency_id=agency_id, detail={**grant_facts(grant), **several})


def grant_facts(grant: Grant) -> dict[str, str]:
    """Return what the audit tells of a grant."""
    return {"role": grant.role, "holder": grant.holder.name, "action": grant.action, "layer": grant.layer, "of": grant.agency.name}


@transaction.atomic
def make_member(*, username: str, password: str, full_name: str = "") -> Member:
    """Make a person who may sign in. Raises ValidationError on a weak password, IntegrityError on a taken name."""
    member = Member(username=username, first_name=full_name)
    validate_password(password, member)
    member.set_password(password)
    member.save()
    record("member_made", target=f"member:{member.pk}", detail={"member": username})
    epoch.tell()
    return member


@transaction.atomic
def make_administrator(*, username: str, password: str) -> Member:
    """Make a member who may use the admin pages and everything in them. Raises as `make_member`."""
    member = make_member(username=username, password=password)
    member.is_staff = member.is_superuser = True
    member.save(update_fields=["is_staff", "is_superuser"])
    record("administrator_made", target=f"member:{member.pk}", detail={"member": username})
    return member


@transaction.atomic
def join(*, member: Member, agency: Agency, role: str) -> Membership:
    """Give a member a role in an agency; once."""
    membership, is_new = Membership.objects.get_or_create(member=member, agency=agency, role=role)
    if is_new:
        _record_role("role_given", membership)
    epoch.tell()
    return membership


@transaction.atomic
def let_administrators_in(*, agency: Agency) -> None:
    """Make all who administer the instance administrators of an agency, as each start of the server does."""
    for member in Member.objects.filter(is_superuser=True, is_active=True):
        join(member=member, agency=agency, role=Role.ADMINISTRATOR)


@transaction.atomic
def leave(*, membership: Membership) -> None:
    _record_role("role_taken", membership)
    membership.delete()
    epoch.tell()


def _record_role(act: str, held: Membership) -> None:
    facts = {"member": held.member.username, "role": held.role, "agency": held.agency.name}
    record(act, target=f"member:{held.member_id}", agency_id=held.agency_id, detail=facts)


@transaction.atomic
def make_key(*, agency: Agency, by: Member | None = None) -> NewKey:
    """Make an API key: 256 random bits. Only its prefix and SHA-256 are stored; ties to a source are ingest's."""
    text = f"rtcc_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(agency=agency, prefix=text[:8], digest=digest_of(text), created_by=by)
    record("key_made", target=f"key:{key.pk}", agency_id=agency.pk, detail={"key": key.prefix, "agency": agency.name})
    epoch.tell()
    return NewKey(key, text)


@transaction.atomic
def revoke_key(*, key: ApiKey, at: datetime) -> None:
    """End a key for good. A key that is revoked already keeps its first time."""
    if key.revoked_at is None:
        key.revoked_at = at
        key.save(update_fields=["revoked_at"])
        record("key_revoked", target=f"key:{key.pk}", agency_id=key.agency_id, detail={"key": key.prefix, "agency": key.agency.name})
    epoch.tell()


def digest_of(text: str) -> bytes:
    """Return what is stored of a key. A fast hash is enough, since the key itself is random."""
    return sha256(text.encode()).digest()
