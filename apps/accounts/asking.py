"""Who asks in a request."""

from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from apps.accounts.viewer import Viewer, viewer_of


def asking(request: HttpRequest | Request) -> Viewer:
    """Return the signed-in member's rights, as of now. Raises NotAuthenticated."""
    if request.user.pk is None:
        raise NotAuthenticated
    return viewer_of(request.user.pk)
