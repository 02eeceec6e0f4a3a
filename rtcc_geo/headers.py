"""What every answer of Django and of the static files tells a browser beside Django's own headers and the content policy."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# A phone on patrol may tell its place to our own page; nothing else of the machine is ever asked for.
PERMISSIONS = ", ".join(
    ["geolocation=(self)", *(f"{name}=()" for name in ("camera", "microphone", "usb", "serial", "bluetooth", "payment", "display-capture"))]
)
HEADERS = {"Permissions-Policy": PERMISSIONS, "Cross-Origin-Resource-Policy": "same-origin"}


class PageHeaders:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response
