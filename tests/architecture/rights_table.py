"""The matrix of rights: a row for every address, which says whom it answers and how to ask it for what an agency has.

A new address needs a row. `whole` asks for all that there is; `named` names an agency or one of its things, by what
`tests.planted.Planted.fill` knows: {slug}, {agency}, {source}, {track}, {call}, {fence}, {boundary}, {hold}, {lon}, {lat}.
"""

from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

OPEN = "open"  # anybody is answered, and with nothing of any agency
MEMBERS = "members"  # whoever is signed in is answered, and with nothing of any agency
GRANTS = "grants"  # members see the agencies that their grants name; what is named and may not be seen is 404
ADMINISTER = "administer"  # who administers an agency sees that agency's; everybody else is refused, and other agencies are 404
ACTS = "acts"  # only written to: nothing is told to who asks (what a foreign member may write is tested where it is written)
STAFF = "staff"  # only who administers the whole instance gets in
ELSEWHERE = "elsewhere"  # not asked over Django's client: `probed_by` names the file whose tests ask it


@dataclass(frozen=True)
class Row:
    """`nothing`: the status told to a member who may see nothing. `marks` says of which agencies' names `whole` must show all that
    the viewer may see. `holds`: with all filters of the application off, the database still shows nothing of others; else why not."""

    answers: str
    whole: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    nothing: int = 200
    holds: bool = True
    why_not: str = ""
    probed_by: str = ""


PAST = "at={now}"
FEATURES = [f"/api/layers/{layer}/features" for layer in ("units", "calls", "fences", "boundaries")]
TILES = [f"/api/layers/{layer}/tiles/0/0/0.mvt" for layer in ("fences", "boundaries")]  # of calls and units: tests/apps/layers/test_tiles
BOX = "bbox=-89,41,-88,42"
ROWS: dict[str, Row] = {
    "": Row(MEMBERS, ("/",)),
    "basemap.geojson": Row(MEMBERS, ("/basemap.geojson",)),
    "favicon.ico": Row(OPEN, ("/favicon.ico",)),
    "api/schema/": Row(MEMBERS, ("/api/schema/",)),
    "api/boards/calls": Row(GRANTS, ("/api/boards/calls", f"/api/boards/calls?{PAST}", "/api/boards/calls?known={now}")),
    "api/layers/": Row(GRANTS, ("/api/layers/",), holds=False, why_not="names agencies and layers, holds no place; not read by seen_by"),
    "api/layers/<slug:name>/features": Row(
        GRANTS,
        tuple(f"{path}?{query}" for path in FEATURES for query in ("", PAST, "known={now}", BOX, f"{BOX}&{PAST}")),
        tuple(f"{path}?agency={{slug}}{query}" for path in FEATURES for query in ("", f"&{PAST}", f"&{BOX}")),
        nothing=404,
    ),
    "api/layers/<slug:name>/tiles/<int:z>/<int:x>/<int:y>.mvt": Row(
        GRANTS,
        tuple(f"{path}?{query}" for path in TILES for query in ("", PAST, "known={now}")),
        tuple(f"{path}?agency={{slug}}{query}" for path in TILES for query in ("", f"&{PAST}")),
        nothing=404,
    ),
    "api/layers/<slug:name>/tiles.json": Row(ELSEWHERE, ("/api/layers/calls/tiles.json",), probed_by="tests/apps/layers/test_tiles.py"),
    "api/layers/<slug:name>/style.json": Row(ELSEWHERE, ("/api/layers/calls/style.json",), probed_by="tests/apps/layers/test_tiles.py"),
    "accounts/tokens/": Row(MEMBERS, ("/accounts/tokens/",)),
    "accounts/tokens/<int:id>/revoke/": Row(ACTS, named=("/accounts/tokens/1/revoke/",)),
    "accounts/login/": Row(OPEN, ("/accounts/login/",)),
    "accounts/logout/": Row(OPEN, ("/accounts/logout/",)),
    "accounts/inactive/": Row(OPEN, ("/accounts/inactive/",)),
    "accounts/signup/": Row(OPEN, ("/accounts/signup/",)),
    "accounts/reauthenticate/": Row(MEMBERS, ("/accounts/reauthenticate/",)),
    "accounts/password/change/": Row(MEMBERS, ("/accounts/password/change/",)),
    "accounts/2fa/": Row(MEMBERS, ("/accounts/2fa/",)),
    "accounts/2fa/authenticate/": Row(OPEN, ("/accounts/2fa/authenticate/",)),
    "accounts/2fa/reauthenticate/": Row(MEMBERS, ("/accounts/2fa/reauthenticate/",)),
    "accounts/2fa/app/": Row(MEMBERS, ("/accounts/2fa/app/",)),
    "accounts/2fa/app/remove/": Row(MEMBERS, ("/accounts/2fa/app/remove/",)),
    "accounts/2fa/codes/": Row(MEMBERS, ("/accounts/2fa/codes/",)),
    "accounts/2fa/codes/new/": Row(MEMBERS, ("/accounts/2fa/codes/new/",)),
    "accounts/2fa/codes/file/": Row(MEMBERS, ("/accounts/2fa/codes/file/",)),
    "accounts/2fa/passkeys/": Row(MEMBERS, ("/accounts/2fa/passkeys/",)),
    "accounts/2fa/passkeys/add/": Row(MEMBERS, ("/accounts/2fa/passkeys/add/",)),
    "accounts/2fa/passkeys/sign-in/": Row(OPEN, ("/accounts/2fa/passkeys/sign-in/",)),
    "accounts/2fa/passkeys/reauthenticate/": Row(MEMBERS, ("/accounts/2fa/passkeys/reauthenticate/",)),
    "accounts/2fa/passkeys/<int:pk>/remove/": Row(MEMBERS, ("/accounts/2fa/passkeys/1/remove/",)),
    "accounts/2fa/passkeys/<int:pk>/name/": Row(MEMBERS, ("/accounts/2fa/passkeys/1/name/",)),
    "accounts/sessions/": Row(MEMBERS, ("/accounts/sessions/",)),
    "accounts/sessions/<str:username>/": Row(MEMBERS, ("/accounts/sessions/nobody/",)),
    "accounts/session/": Row(MEMBERS, ("/accounts/session/",)),
    "accounts/session/lock/": Row(OPEN, ("/accounts/session/lock/",)),
    "accounts/session/unlock/": Row(MEMBERS, ("/accounts/session/unlock/",)),
    "accounts/workstation/": Row(MEMBERS, ("/accounts/workstation/",)),
    "accounts/sso/cancelled/": Row(OPEN, ("/accounts/sso/cancelled/",)),
    "accounts/sso/error/": Row(OPEN, ("/accounts/sso/error/",)),
    "accounts/sso/signup/": Row(OPEN, ("/accounts/sso/signup/",)),
    "accounts/sso/<slug:provider_id>/": Row(OPEN, ("/accounts/sso/nowhere/",)),
    "accounts/sso/<slug:provider_id>/back/": Row(OPEN, ("/accounts/sso/nowhere/back/",)),
    "audit/": Row(ADMINISTER, ("/audit/",), ("/audit/?agency={slug}",)),
    "audit/sign-off": Row(ACTS, ("/audit/sign-off",)),
    "health/": Row(ELSEWHERE, ("/health/",), probed_by="tests/apps/console/test_health.py"),
    "api/health": Row(ELSEWHERE, ("/api/health",), probed_by="tests/apps/console/test_health.py"),
    "retention/": Row(ADMINISTER, ("/retention/",)),
    "retention/rules/new": Row(ADMINISTER, ("/retention/rules/new",)),
    "retention/holds/new": Row(ADMINISTER, ("/retention/holds/new",)),
    "retention/holds/<uuid:id>": Row(ADMINISTER, named=("/retention/holds/{hold}",)),
    "retention/holds/<uuid:id>/rows.jsonl": Row(ACTS, named=("/retention/holds/{hold}/rows.jsonl",)),
    "retention/holds/<uuid:id>/confirm": Row(ACTS, named=("/retention/holds/{hold}/confirm",)),
    "retention/holds/<uuid:id>/release": Row(ACTS, named=("/retention/holds/{hold}/release",)),
    "retention/holds/<uuid:id>/extend": Row(ACTS, named=("/retention/holds/{hold}/extend",)),
    "retention/proofs/<int:generation>/<day:day>": Row(ADMINISTER, ("/retention/proofs/1/2026-03-01",)),
    "admin/": Row(STAFF),
}
"""By route, as Django writes it. `admin/` stands for every page below it: one rule guards them all, and each is asked."""

BARE: dict[str, Row] = {
    "/healthz": Row(ELSEWHERE, probed_by="tests/apps/live/test_rights_matrix.py"),
    "/metrics": Row(ELSEWHERE, probed_by="tests/architecture/test_metrics.py"),
    "/ingest/": Row(ELSEWHERE, probed_by="tests/apps/ingest/test_rights_matrix.py"),
    "/live/": Row(
        ELSEWHERE,
        probed_by="tests/apps/live/test_rights_matrix.py",
        holds=False,
        why_not="a hub's replica holds all; each message is checked by (layer, agency) and epoch",
    ),
}
"""Addresses outside Django: of rtcc_geo.entrance and of sockets."""

SAMPLES = {
    "object_id": "1", "app_label": "incidents", "url": "nowhere", "id": "1", "content_type_id": "1", "name": "calls", "day": "2026-03-01",
}  # fmt: skip


def routes() -> dict[str, URLPattern]:
    """Return every address of the URL configuration, as written there."""
    return dict(_below(get_resolver(), ""))


def _below(resolver: URLResolver, before: str) -> list[tuple[str, URLPattern]]:
    found = []
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        found += _below(one, route) if isinstance(one, URLResolver) else [(route, one)]
    return found


def row_of(route: str) -> Row | None:
    """Return the row of a route: its own, or that of the whole of the admin pages."""
    return ROWS.get(route) or (ROWS["admin/"] if route.startswith("admin/") else None)
