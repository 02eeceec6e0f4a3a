"""The one table from the domain's errors to HTTP status, and the JSON that says them."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.response import Response
from rest_framework.views import exception_handler

from apps.accounts.instance import NoInstance
from apps.layers.parameters import BadParameter
from apps.layers.queries import NoSuchAgency, NoSuchLayer
from apps.layers.sensitive import NotAudited, WhyRequired

STATUS: dict[type[Exception], int] = {
    BadParameter: 400,
    WhyRequired: 400,
    NotAuthenticated: 401,
    NoSuchAgency: 404,
    NoSuchLayer: 404,
    NoInstance: 503,
    NotAudited: 503,
}
API = "/api/"
CHALLENGE = 'Cookie realm="RTCC Geo"'
"""A 401 names how to sign in (RFC 9110): by the session's cookie. No browser asks for a password because of it."""


def word(error: Exception) -> str:
    """Return the error's class as a word: BadParameter is "bad_parameter"."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer `{"error": "<word>", "detail": "<sentence>"}`; None (an unknown error) becomes a 500."""
    if type(error) in STATUS:
        headers = {"WWW-Authenticate": CHALLENGE} if isinstance(error, NotAuthenticated) else None
        return Response({"error": word(error), "detail": str(error)}, status=STATUS[type(error)], headers=headers)
    response = exception_handler(error, context)
    if response is not None:
        detail = error.detail if isinstance(error, APIException) else response.data["detail"]
        response.data = {"error": word(error), "detail": str(detail)}
    return response


def _said(request: HttpRequest, status: int, error: str, detail: str) -> HttpResponse | None:
    """Return JSON for whoever asks below /api/; pages have pages."""
    return JsonResponse({"error": error, "detail": detail}, status=status) if request.path.startswith(API) else None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _said(request, 400, "bad_request", "the request cannot be read") or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _said(request, 403, "permission_denied", "you may not do this") or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _said(request, 404, "not_found", f"there is nothing at {request.path[:200]}") or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    return _said(request, 500, "server_error", "something failed here; the server's log says what") or defaults.server_error(request)
