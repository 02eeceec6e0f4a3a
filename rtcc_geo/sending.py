"""How answers travel: what carries rights is kept by nobody, and what is long is compressed."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

KEPT_BY_NOBODY = "private, no-store"
DATA = ("/api/", "/basemap.geojson")
"""Pages are left as they are: they hold a token beside what a request may bring in, and compressing both together tells of it."""


class Sending(GZipMiddleware):
    """Data for who is signed in. An answer of the API depends on grants, which may be withdrawn: no cache, not even the
    browser's own on a shared desk, keeps one. The base map says for itself how long it holds."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not request.path.startswith(DATA):
            return response
        if request.path.startswith("/api/"):
            response.headers.setdefault("Cache-Control", KEPT_BY_NOBODY)
        return super().process_response(request, response)
