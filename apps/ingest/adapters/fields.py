"""Build an observation from fields as they came, checking what its columns can hold."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from apps.incidents.observations import CallReport
from apps.ingest import measures
from apps.ingest.texts import LIMITS, UNIT_LIMIT, UNITS_LIMIT, clean
from apps.tracks.observations import Fix

STATES = frozenset({"waiting", "active", "closed"})
INT8 = 2**63 - 1


class Unfit(Exception):
    """One part cannot become an observation; `reason` is a word of docs/interfaces.md."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def text(value: Any, field: str) -> str | None:
    """Return a text that fits its column, None when absent. Raises Unfit."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unfit("unparsable", f"{field} is not a text")
    cleaned = clean(str(value).strip())
    if len(cleaned) > LIMITS[field]:
        raise Unfit("too_long", f"{field} has {len(cleaned)} characters, at most {LIMITS[field]}")
    return cleaned


def identity_of(value: Any, field: str = "identity") -> str:
    """Raises Unfit: an identity may be neither missing nor repaired."""
    found = text(value, field)
    if not found:
        raise Unfit("missing_identity", f"{field} is missing")
    if not isinstance(value, str):
        return found
    if clean(value) != value:
        raise Unfit("unparsable", f"{field} holds a character that cannot be stored")
    if len(value) > LIMITS[field]:
        raise Unfit("too_long", f"{field} has {len(value)} characters, at most {LIMITS[field]}")
    return value


def time_us(value: Any, field: str = "time") -> int:
    if value is None or value == "":
        raise Unfit("missing_time", f"{field} is missing")
    us = measures.microseconds_of(value)
    if us is None:
        raise Unfit("missing_time", f"{field} is not a time with a zone, nor seconds since 1970")
    return us


def degrees(value: Any, field: str) -> float:
    found = measures.number(value)
    if found is None:
        raise Unfit("not_a_number", f"{field} is missing")
    if not math.isfinite(found):
        raise Unfit("not_a_number", f"{field} is not a number")
    return found


def fix_from(
    *, identity: Any, time: Any, lon: Any, lat: Any, texts: Mapping[str, Any], speed_mps: float | None = None,
    heading_deg: float | None = None, accuracy_m: float | None = None, altitude_m: float | None = None,
) -> Fix:  # fmt: skip
    """Build a Fix. Raises Unfit."""
    return Fix(
        identity=identity_of(identity),
        observed_us=time_us(time),
        lon=degrees(lon, "lon"),
        lat=degrees(lat, "lat"),
        speed_mps=speed_mps,
        heading_deg=heading_deg,
        accuracy_m=accuracy_m,
        altitude_m=altitude_m,
        status=text(texts.get("status"), "status") or None,
        call_sign=text(texts.get("call_sign"), "call_sign") or None,
        name=text(texts.get("name"), "name") or None,
        kind=text(texts.get("kind"), "kind") or None,
    )


def place(value: Any) -> float | None:
    """Return a call's coordinate: None when absent, NaN when it is there and unusable (the call becomes unlocated)."""
    found = measures.number(value)
    return found if found is None or math.isfinite(found) else math.nan


def sequence_of(value: Any, observed_us: int) -> int:
    """Return the CAD's own sequence, else the time in microseconds. Raises Unfit."""
    if value is None or value == "":
        return observed_us
    try:
        found = int(value)
    except (TypeError, ValueError, OverflowError):
        raise Unfit("unparsable", "sequence is not a whole number") from None
    if not -INT8 <= found <= INT8:
        raise Unfit("out_of_range", "sequence does not fit 64 bits")
    return found


def units_of(value: Any, separator: str | None = None) -> tuple[str, ...] | None:
    """Return the units' call signs, None when the field is absent. Raises Unfit."""
    if value is None:
        return None
    if isinstance(value, str):
        value = value.split(separator) if separator else value.split()
    if not isinstance(value, Sequence):
        raise Unfit("unparsable", "units is not a list")
    units = tuple(clean(str(unit).strip()) for unit in value if unit is not None and str(unit).strip())
    if len(units) > UNITS_LIMIT or any(len(unit) > UNIT_LIMIT for unit in units):
        raise Unfit("too_long", f"at most {UNITS_LIMIT} units of {UNIT_LIMIT} characters")
    return units


def state_of(value: Any) -> str:
    found = str(value).strip().lower() if value is not None else ""
    if found not in STATES:
        raise Unfit("unknown_type", f'state is "{clean(found[:40])}", expected waiting, active or closed')
    return found


def call_from(fields: Mapping[str, Any], *, separator: str | None = None) -> CallReport:
    """Build a CallReport from our field names; what is absent stays unknown. Raises Unfit."""
    observed_us = time_us(fields.get("time"))
    opened = fields.get("opened_at")
    return CallReport(
        number=identity_of(fields.get("number"), "number"),
        sequence=sequence_of(fields.get("sequence"), observed_us),
        observed_us=observed_us,
        state=state_of(fields.get("state")),
        lon=place(fields.get("lon")),
        lat=place(fields.get("lat")),
        opened_us=None if opened in (None, "") else time_us(opened, "opened_at"),
        units=units_of(fields.get("units"), separator),
        uncertainty_m=measures.accuracy(fields.get("uncertainty_m")),
        **{name: text(fields.get(name), name) for name in ("type", "priority", "address", "cross_streets", "narrative")},
    )
