"""Sign-in by an issuer's word (OpenID Connect): its groups become roles here, and go when they go there.

Every call to an issuer goes through safe_fetch, to the machines that an administrator entered and no others.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
from allauth.account.utils import user_email, user_username
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import render
from django.utils import timezone

from apps.accounts import epoch, vault
from apps.accounts.models import Issuer, Member, Membership
from apps.accounts.safe_fetch import FetchFailed, Refused, call, checked_target
from apps.audit.operations import record

PROVIDER = "openid_connect"
UNREADABLE = "its secret cannot be read with this instance's secret key; enter it again"
NO_ROLE = "no group has a role"
OWN_HEADERS = ("host", "accept-encoding", "user-agent")
Role = tuple[int, str]


class Federation(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[SocialApp]:
        """Return the issuers that are switched on, as allauth knows them. One whose secret cannot be read is left out and told of on its
        page: the others, and passwords, go on."""
        apps = list(readable(Issuer.objects.filter(is_active=True).order_by("name")))
        asked = [app for app in apps if provider in (None, PROVIDER, app.provider_id)]
        return [app for app in asked if client_id in (None, app.client_id)]

    def get_requests_session(self) -> requests.Session:
        return SafeSession()

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> Any:
        """Members have no mail address here."""
        user = super().populate_user(request, sociallogin, {**data, "email": None})
        user_email(user, "")
        sociallogin.email_addresses = []
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Renew the roles of who is known; refuse who has none, and who would add a way in to their account. Raises
        ImmediateHttpResponse."""
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            refuse(request, sociallogin, "an account is not connected to another")
        if sociallogin.is_existing:
            renew(sociallogin.user, issuer_of(sociallogin), groups_of(sociallogin))
            if not sociallogin.user.memberships.exists():
                refuse(request, sociallogin, NO_ROLE)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """A new member comes only with a group that has a role. Raises ImmediateHttpResponse."""
        if not roles_of(issuer_of(sociallogin), groups_of(sociallogin)):
            refuse(request, sociallogin, NO_ROLE)
        return True

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> Any:
        """A name that somebody has already is not theirs: the new member gets another."""
        member = super().save_user(request, sociallogin, form)
        issuer = issuer_of(sociallogin)
        record("member_made", target=f"member:{member.pk}", name=member.username, detail={"issuer": issuer.slug})
        renew(member, issuer, groups_of(sociallogin))
        return member


def readable(issuers: Iterable[Issuer]) -> Iterator[SocialApp]:
    for issuer in issuers:
        try:
            yield app_of(issuer)
        except vault.Unreadable:
            if issuer.last_result != UNREADABLE:
                note(issuer, UNREADABLE)


def app_of(issuer: Issuer) -> SocialApp:
    """Raises vault.Unreadable."""
    settings = {"server_url": issuer.server_url, "fetch_userinfo": False}
    secret = vault.decrypt(issuer.secret) if issuer.secret else ""
    return SocialApp(
        provider=PROVIDER, provider_id=issuer.slug, name=issuer.name, client_id=issuer.client_id, secret=secret, settings=settings
    )


def issuer_of(sociallogin: SocialLogin) -> Issuer:
    return Issuer.objects.get(slug=sociallogin.account.provider)


def groups_of(sociallogin: SocialLogin) -> set[str]:
    """Return the groups that the ID token names."""
    claims = sociallogin.account.extra_data.get("id_token", {})
    told = claims.get(issuer_of(sociallogin).groups_claim, [])
    return {str(group) for group in ([told] if isinstance(told, str) else told if isinstance(told, list) else [])}


def roles_of(issuer: Issuer, groups: set[str]) -> set[Role]:
    return set(issuer.group_roles.filter(group__in=groups).values_list("agency_id", "role"))


def refuse(request: HttpRequest, sociallogin: SocialLogin, reason: str) -> None:
    """Raises ImmediateHttpResponse."""
    name = user_username(sociallogin.user) or sociallogin.account.uid
    record("sign_in_refused", name=name, reason=reason, detail={"issuer": sociallogin.account.provider})
    raise ImmediateHttpResponse(render(request, "account/signup_closed.html", status=403))


@transaction.atomic
def renew(member: Member, issuer: Issuer, groups: set[str]) -> None:
    """Give the roles of the groups, and take those that came by a group which is gone. What people gave stays."""
    wanted = roles_of(issuer, groups)
    for ship in Membership.objects.filter(member=member, issuer=issuer):
        if (ship.agency_id, ship.role) not in wanted:
            ship.delete()
            _tell_audit("membership_ended", ship)
    for agency_id, role in wanted:
        given = {"member": member, "agency_id": agency_id, "role": role}
        ship, is_new = Membership.objects.get_or_create(**given, defaults={"issuer": issuer})
        if is_new:
            _tell_audit("membership_given", ship)
    epoch.tell()


def _tell_audit(act: str, ship: Membership) -> None:
    detail = {"role": ship.role, "issuer": ship.issuer.slug if ship.issuer else ""}
    record(act, target=f"member:{ship.member_id}", agency_id=ship.agency_id, detail=detail)


class SafeSession(requests.Session):
    """Calls issuers as safe_fetch does, whatever an issuer's own description says."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.adapters.clear()
        self.mount("", Checked())


class Checked(requests.adapters.BaseAdapter):
    """Raises requests.ConnectionError where nothing may be called or nothing answers."""

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        issuer = issuer_for(urlsplit(request.url or "").hostname or "")
        try:
            response = answered(request, allow_private=issuer.allow_private)
        except (Refused, FetchFailed) as error:
            note(issuer, str(error))
            raise requests.ConnectionError(str(error)) from error
        note(issuer, f"answered {response.status_code}")
        return response

    def close(self) -> None:
        """There is nothing open between calls."""


def issuer_for(host: str) -> Issuer:
    """Return whose machine it is, as an administrator entered it. Raises requests.ConnectionError."""
    for issuer in Issuer.objects.filter(is_active=True):
        others = {other.strip() for other in issuer.other_hosts.split(",")}
        if host and host in {urlsplit(issuer.server_url).hostname, *others}:
            return issuer
    raise requests.ConnectionError(f"no administrator entered {host[:100]}")


def answered(request: requests.PreparedRequest, *, allow_private: bool) -> requests.Response:
    """Raises Refused and FetchFailed."""
    target = checked_target(request.url or "", {}, allow_private=allow_private)
    body = request.body.encode() if isinstance(request.body, str) else request.body
    if not isinstance(body, bytes | None):
        raise Refused("only what is known beforehand is sent")
    headers = {str(name): str(value) for name, value in request.headers.items() if name.lower() not in OWN_HEADERS}
    answer = call(target, request.method or "GET", headers=headers, body=body)
    if 300 <= answer.status < 400:
        raise FetchFailed("answered with a redirect, which is not followed")
    response = requests.Response()
    response.status_code, response._content, response.request, response.url = answer.status, answer.body, request, request.url or ""
    response.headers.update(answer.headers)
    return response


def note(issuer: Issuer, result: str) -> None:
    Issuer.objects.filter(pk=issuer.pk).update(last_used_at=timezone.now(), last_result=result[:300])
