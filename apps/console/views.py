"""The map page, its base map and the boards."""

from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import orjson
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import condition, require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts import desks
from apps.accounts.asking import asking
from apps.accounts.second_factor import is_entitled
from apps.console.client import ClientNotBuilt, read_entry
from apps.console.health import read_health
from apps.console.judgement import counted, judge, worst
from apps.console.queries import calls_board
from apps.console.schema import CallsBoardSchema, HealthSchema
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
    idle_s = int(desks.stood_idle(request, at=datetime.now(UTC)).total_seconds())
    return render(request, "console/map.html", {"entry": entry, "has_streets": basemap_file().exists(), "idle_s": idle_s})


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


@require_safe
@never_cache
@login_required
def health_page(request: HttpRequest) -> HttpResponse:
    """For administrators; it asks for itself again every ten seconds, without a script."""
    if not getattr(request.user, "is_staff", False):
        raise PermissionDenied
    health = read_health(at=datetime.now(UTC))
    findings = judge(health)
    groups = {name: list(found) for name, found in groupby(findings, key=attrgetter("group"))}
    facts = {"health": health, "groups": groups, "worst": worst(findings), "bad": counted(findings)}
    return render(request, "console/health.html", facts)


class Administers(IsAdminUser):
    """Who administers the instance and has the second factor without which that does not count."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and is_entitled(request.user.pk or 0)


class HealthView(ReadView):
    permission_classes = (Administers,)

    @extend_schema(responses={200: HealthSchema, **errors(401, 403, 503)}, operation_id="health")
    def get(self, request: Request) -> HttpResponse:
        """How the instance is, with what that means. For administrators."""
        health = read_health(at=datetime.now(UTC))
        findings = judge(health)
        body = {"state": worst(findings), "findings": findings, "health": health}
        return HttpResponse(orjson.dumps(body, option=OPTIONS, default=str), content_type="application/json")


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
