"""Says for the time of a request who asks and from where."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.audit.acting import Acting, acting_as


class ActingMiddleware:
    """Comes after the authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting_as(lambda: acting_in(request)):
            return self.get_response(request)


def acting_in(request: HttpRequest) -> Acting:
    """Return who asks in a request; uvicorn has put the client's address there, also behind a trusted proxy."""
    road = "api" if request.path.startswith("/api/") else "page"
    return Acting(request.user.pk, request.user.get_username(), request.META.get("REMOTE_ADDR") or None, road)
