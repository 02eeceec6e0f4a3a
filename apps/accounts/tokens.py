"""View tokens: made and revoked by their member, and who comes with one."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.models import BreakGlass, Member, ViewToken
from apps.accounts.operations import digest_of
from apps.audit.operations import record

MARK = "rtccv_"
SHOWN = 12
LONGEST = timedelta(days=366)
MOST_TOKENS = 20
IN_ADDRESS = "token"


class BadToken(ValueError):
    """A token cannot be made so; the text says why."""


@dataclass(frozen=True)
class NewToken:
    """A token just made; `text` is shown once and stored nowhere."""

    token: ViewToken
    text: str


@transaction.atomic
def make(*, member: Member, name: str, expires_at: datetime, at: datetime, layer: str = "") -> NewToken:
    """Make a token of 256 random bits for a member. `layer` empty: all that the member may see. Locks the member. Raises BadToken."""
    if not at < expires_at <= at + LONGEST:
        raise BadToken(f"a token lasts from now up to {LONGEST.days} days")
    if not Member.objects.select_for_update().get(pk=member.pk).is_active:
        raise BadToken("who may not sign in has no tokens")
    if BreakGlass.objects.filter(member=member).exists():
        raise BadToken("a sealed account has no tokens")
    if living(member=member, at=at).count() >= MOST_TOKENS:
        raise BadToken(f"you have {MOST_TOKENS} tokens; revoke one first")
    text = MARK + secrets.token_urlsafe(32)
    token = ViewToken.objects.create(
        member=member, name=name, prefix=text[:SHOWN], digest=digest_of(text), layer=layer, created_at=at, expires_at=expires_at
    )
    record("view_token_made", target=f"view_token:{token.pk}", detail={"layer": layer, "expires_at": expires_at.isoformat()})
    return NewToken(token, text)


@transaction.atomic
def revoke(*, token: ViewToken, at: datetime) -> None:
    """End a token for good. One that is revoked already keeps its first time."""
    if ViewToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at):
        record("view_token_revoked", target=f"view_token:{token.pk}")


@transaction.atomic
def revoke_all(member: Member, *, at: datetime) -> int:
    """End every token of a member; return how many lived."""
    ended = ViewToken.objects.filter(member=member, revoked_at=None).update(revoked_at=at)
    record("view_tokens_revoked", target=f"member:{member.pk}", count=ended)
    return ended


def living(*, member: Member, at: datetime) -> QuerySet[ViewToken]:
    """Return the tokens of a member that work, the newest first."""
    return ViewToken.objects.filter(member=member, revoked_at=None, expires_at__gt=at).order_by("-created_at", "-pk")


def find(text: str, *, at: datetime) -> ViewToken | None:
    """Return the token with its member, if it works: not revoked, not expired, and the member active."""
    return (
        ViewToken.objects.select_related("member")
        .filter(digest=digest_of(text), revoked_at=None, expires_at__gt=at, member__is_active=True)
        .first()
    )


def sent_in(request: HttpRequest) -> str | None:
    """Return the token that a request carries, as `Authorization: Bearer` or in its address; None when it has none."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return text.strip()
    return request.GET.get(IN_ADDRESS)
