"""What a log line carries: RTCC_LOG_FORMAT=line for people (the default), json for systemd, containers and log collectors.

In json each event is one line: time (UTC), level, logger, message, process; in a request also its id and the member's id (never a
name). What is handed over as `extra` is added under its own name.
"""

import logging
import os
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from secrets import token_hex
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from pythonjsonlogger.json import JsonFormatter

log = logging.getLogger(__name__)
SLOW_S = 1.0
GIVEN_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
current: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


class Lines(JsonFormatter):
    """One JSON object a line."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        names = {"asctime": "time", "levelname": "level", "name": "logger", "exc_info": "traceback"}
        super().__init__("{asctime}{levelname}{name}{message}", style="{", rename_fields=names)
        self.converter = time.gmtime

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data["process"] = os.environ.get("RTCC_PROCESS", "command")
        log_data |= about_request()
        for name in ("request", "color_message"):  # what Django and uvicorn hang on their records
            log_data.pop(name, None)


def about_request() -> dict[str, Any]:
    """Return the id of the request that is served now, and of its member where somebody has looked that up already."""
    request = current.get()
    if request is None:
        return {}
    member = getattr(getattr(request, "_cached_user", None), "pk", None)
    return {"request_id": request.META["rtcc.request_id"], **({"member": member} if member else {})}


class RequestLog:
    """Gives each request an id (nginx's, or a new one), tells it to the client, and logs what took long: by its route, never by
    its address, which may hold what was looked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request.META["rtcc.request_id"] = given if GIVEN_ID.fullmatch(given) else token_hex(16)
        token, begun = current.set(request), time.monotonic()
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = request.META["rtcc.request_id"]
            self.tell(request, response.status_code, time.monotonic() - begun)
            return response
        finally:
            current.reset(token)

    def tell(self, request: HttpRequest, status: int, took_s: float) -> None:
        if took_s < SLOW_S:
            return
        route = f"/{request.resolver_match.route}" if request.resolver_match else "no address of ours"
        facts = {"method": request.method, "route": route, "status": status, "duration_ms": round(took_s * 1000)}
        log.warning("slow: %s %s answered %s after %d ms", *facts.values(), extra=facts)
