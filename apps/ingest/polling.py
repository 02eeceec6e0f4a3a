"""One poll of an ArcGIS board: all pages of the answer, joined as they came."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.accounts.safe_fetch import FetchFailed, safe_fetch
from apps.geo.clock import microseconds

PAGES_LIMIT = 100
PARAMS = {"where": "1=1", "outFields": "*", "outSR": "4326", "returnGeometry": "true", "f": "json"}


def query_address(url: str) -> str:
    """Return the address of the layer's query, from the layer's or the query's own."""
    url = url.split("?")[0].rstrip("/")
    return url if url.endswith("/query") else f"{url}/query"


def poll(settings: Mapping[str, Any], *, at: datetime) -> bytes:
    """Return {"polled_at": ms, "pages": [answers]} for the arcgis adapter. Raises safe_fetch.Refused and FetchFailed."""
    url, allow_private = query_address(str(settings["url"])), settings.get("allow_private") is True
    pages: list[bytes] = []
    offset = 0
    while len(pages) < PAGES_LIMIT:
        params = PARAMS | ({"resultOffset": str(offset)} if offset else {})
        pages.append(safe_fetch(url, params, allow_private=allow_private))
        features, more = counted(pages[-1])
        offset += features
        if not more or not features:
            break
    return b'{"polled_at":%d,"pages":[%s]}' % (microseconds(at) // 1000, b",".join(pages))


def counted(page: bytes) -> tuple[int, bool]:
    """Return how many features a page has and whether the service has more. Raises FetchFailed for what is not JSON."""
    try:
        answer = json.loads(page)
    except (ValueError, RecursionError) as error:
        raise FetchFailed(f"the service's answer is not JSON: {error}") from error
    features = answer.get("features") if isinstance(answer, dict) else None
    if not isinstance(features, list):
        return 0, False
    return len(features), bool(answer.get("exceededTransferLimit"))
