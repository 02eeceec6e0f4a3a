"""The map page, its base map and the boards."""

from hashlib import sha256
from pathlib import Path

import orjson
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import condition, require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from apps.accounts.asking import asking
from apps.console.client import ClientNotBuilt, read_entry
from apps.console.queries import calls_board
from apps.console.schema import CallsBoardSchema
from apps.layers.geojson import OPTIONS, encoded
from apps.layers.parameters import read_time, read_why
from apps.layers.reading import ReadView
from apps.layers.schema import AT, KNOWN, WHY, errors

BUILT = Path("static") / "dist"


@require_safe
@never_cache
@login_required
def map_page(request: HttpRequest) -> HttpResponse:
    try:
        entry = read_entry(settings.BASE_DIR / BUILT)
    except ClientNotBuilt as error:
        return render(request, "console/not_built.html", {"why": str(error)}, status=503)
    return render(request, "console/map.html", {"entry": entry, "has_streets": basemap_file().exists()})


def basemap_file() -> Path:
    return Path(settings.STATE_FOLDER) / "basemap.geojson"


def basemap_etag(request: HttpRequest) -> str | None:
    """Return a tag that changes with the file; None when there is none."""
    try:
        facts = basemap_file().stat()
    except FileNotFoundError:
        return None
    tag = sha256(f"{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}".encode()).hexdigest()[:32]
    return f'"{tag}"'


@require_safe
@login_required
@condition(etag_func=basemap_etag)
def basemap(request: HttpRequest) -> HttpResponse:
    try:
        content = basemap_file().read_bytes()
    except FileNotFoundError as error:
        raise Http404("this instance has no base map") from error
    return HttpResponse(content, content_type="application/geo+json", headers={"Cache-Control": "private, no-cache"})


class CallsBoardView(ReadView):
    parameters = ("at", "known", "why")

    @extend_schema(
        responses={200: CallsBoardSchema, **errors(400, 401, 503)}, parameters=[AT, KNOWN, WHY], operation_id="calls_board"
    )
    def get(self, request: Request) -> HttpResponse:
        """The calls that are open, or were at a past time, in the board's order."""
        query = request.query_params.dict()
        at, known = read_time(query, "at"), read_time(query, "known")
        why = read_why(query["why"]) if "why" in query else ""
        board = calls_board(viewer=asking(request), at=at, known=known, why=why)
        body = {
            "calls": [encoded(call) for call in board.calls],
            "counts": {"unlocated": board.unlocated, "waiting": board.waiting, "active": board.active},
            "at": at,
            "known": board.known,
        }
        return HttpResponse(orjson.dumps(body, option=OPTIONS), content_type="application/json")
