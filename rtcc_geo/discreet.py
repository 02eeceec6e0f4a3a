"""Log lines that name no plate, person, token or officer's place, whatever was handed to the logger.

What the code writes is chosen: ids, slugs of sources, counts. What comes in by accident is not written: the words of an exception
(they quote what could not be read), the address that somebody asked for, and anything that looks like a key or a coordinate.
"""

import logging
import re
import traceback
from copy import copy
from types import TracebackType
from typing import Any

SECRETS = (
    (re.compile(r"rtcc_[\w-]{8,}"), "rtcc_…"),
    (re.compile(r"(?i)\b(key|token|password|passwd|secret|code|state|sessionid|csrftoken|csrfmiddlewaretoken)=[^\s&\"';,]+"), r"\1=…"),
    (re.compile(r"(?i)\b(authorization|cookie|x-api-key)(['\"]?\s*[:=]\s*)[^\r\n]+"), r"\1\2…"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 …"),
    (re.compile(r"//[^/\s:@]+:[^/\s@]+@"), "//…@"),
    (re.compile(r"-?\b\d{1,3}\.\d{4,}\b"), "…"),
    (re.compile(r"\?[^\s\"'\])]+"), "?…"),
)
"""What a line must not hold, and what stands there instead. Numbers of four and more decimals are degrees; a query is after a "?"."""
TOLD = (OSError, TimeoutError)
"""Exceptions whose own words are the system's: errno and its text. A database's are told by their SQLSTATE."""


def scrubbed(text: str) -> str:
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def told(error: BaseException) -> str:
    """Return what may be written of an exception: its class, and codes and names that the code itself chose."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, TOLD) and error.errno is not None:
        return f"{name} ({error.errno}, {error.strerror})"
    if state is None:
        return name
    diag = getattr(error, "diag", None) or getattr(error.__cause__, "diag", None)
    names = [str(getattr(diag, part)) for part in ("table_name", "column_name", "constraint_name") if getattr(diag, part, None)]
    return f"{name} (SQLSTATE {' '.join([state, *names])})"


def trace(error: BaseException) -> str:
    """Return where an exception and what led to it were raised, without their words and without values."""
    lines: list[str] = []
    for one in reversed(chain(error)):
        if lines:
            lines.append("then:")
        lines += [line.rstrip("\n") for line in traceback.format_tb(one.__traceback__)]
        lines.append(told(one))
        for part in getattr(one, "exceptions", ()) if isinstance(one, BaseExceptionGroup) else ():
            lines += [f"  | {line}" for line in trace(part).splitlines()]
    return "\n".join(lines)


def chain(error: BaseException) -> list[BaseException]:
    """Return an exception and its causes, the last first."""
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return found


def of_request(record: logging.LogRecord) -> str | None:
    """Return a line about a request by its route, since an address may hold anything; None when the record is about none."""
    request: Any = getattr(record, "request", None)
    if record.name.startswith("django.security.") and not hasattr(request, "method"):
        return f"refused: {record.name.removeprefix('django.security.')}"
    if not hasattr(request, "method"):
        return None
    match = getattr(request, "resolver_match", None)
    route = f"/{match.route}" if match else "no address of ours"
    return f"{getattr(record, 'status_code', '')} {request.method} {route}".strip()


def discreet(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy of a record that may be written, whichever formatter does it. Uvicorn would name each WebSocket's address."""
    written = copy(record)
    line = of_request(record)
    if line is None:
        written.msg = str(record.msg).replace('"WebSocket %s"', "WebSocket%.0s")
        written.args = safe_arguments(record.args)
        line = written.getMessage()
    written.msg, written.args = scrubbed(line), ()
    if record.exc_info and record.exc_info[1] is not None:
        written.exc_text = scrubbed(trace(record.exc_info[1]))
    written.exc_info = None
    for name in ("request", "message"):
        written.__dict__.pop(name, None)
    return written


def safe_arguments(args: Any) -> Any:
    if isinstance(args, dict):
        return {name: safe_argument(value) for name, value in args.items()}
    return tuple(safe_argument(value) for value in args) if isinstance(args, tuple) else args


def safe_argument(value: Any) -> Any:
    if isinstance(value, BaseException):
        return told(value)
    return trace(value[1]) if is_exc_info(value) else value


def is_exc_info(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 3 and isinstance(value[1], BaseException) and isinstance(value[2], TracebackType)


class DiscreetHandler(logging.StreamHandler[Any]):
    """Writes to standard error. Whatever formatter it is given sees only what may be written."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(discreet(record))
