"""Who asks in a request."""

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from apps.accounts import tokens
from apps.accounts.models import Member, ViewToken
from apps.accounts.viewer import Viewer, viewer_of


class ByToken(BaseAuthentication):
    """A view token, at the addresses that take one. Who sends one that does not work is refused, also with a session beside it."""

    def authenticate(self, request: Request) -> tuple[Member, ViewToken] | None:
        text = tokens.sent_in(request)
        if text is None:
            return None
        token = tokens.find(text, at=timezone.now())
        if token is None:
            raise NotAuthenticated("this token is not known, has expired or was revoked, or its member may not sign in")
        return token.member, token


def asking(request: HttpRequest | Request) -> Viewer:
    """Return the rights of the member who is signed in or whose token came, as of now. Raises NotAuthenticated."""
    if request.user.pk is None:
        raise NotAuthenticated
    viewer, token = viewer_of(request.user.pk), getattr(request, "auth", None)
    return viewer.only(token.layer) if isinstance(token, ViewToken) and token.layer else viewer
