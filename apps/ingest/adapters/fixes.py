"""Our own JSON batch of fixes: {"fixes": [{"id", "time", "lon", "lat", …}]}."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from apps.ingest import measures
from apps.ingest.adapters import json_parts
from apps.ingest.adapters.contract import Item, Rejected, Settings
from apps.ingest.adapters.fields import Unfit, fix_from
from apps.tracks.observations import Fix

Time = Annotated[datetime, Meta(tz=True)] | Annotated[float, Meta(ge=0, lt=measures.EPOCH_LIMIT_S)]


class PlainFix(msgspec.Struct, gc=False):
    """What a well-formed fix looks like; whatever differs is read again, part by part."""

    id: Annotated[str, Meta(min_length=1, max_length=120)]
    time: Time
    lon: float
    lat: float
    speed_mps: Annotated[float, Meta(ge=0, le=3_000)] | None = None
    heading_deg: Annotated[float, Meta(ge=0, lt=360)] | None = None
    accuracy_m: Annotated[float, Meta(ge=0, le=10_000_000)] | None = None
    altitude_m: Annotated[float, Meta(ge=-20_000, le=1_000_000)] | None = None
    status: Annotated[str, Meta(max_length=16)] | None = None
    call_sign: Annotated[str, Meta(max_length=24)] | None = None
    name: Annotated[str, Meta(max_length=120)] | None = None
    kind: Annotated[str, Meta(max_length=24)] | None = None


class PlainBatch(msgspec.Struct, gc=False):
    fixes: list[PlainFix]


PLAIN = msgspec.json.Decoder(PlainBatch)
ESCAPES = (b"\\u0000", b"\\ud", b"\\uD")


def fix_of(plain: PlainFix) -> Fix:
    """Raises Unfit when the id is blank: then the batch is read part by part."""
    identity, time = plain.id, plain.time
    if identity.isspace():
        raise Unfit("missing_identity", "identity is missing")
    seconds = time if type(time) is float else time.timestamp()  # type: ignore[union-attr]
    return Fix(
        identity, round(seconds * 1e6), plain.lon, plain.lat, plain.speed_mps, plain.heading_deg,
        plain.accuracy_m, plain.altitude_m, plain.status or None, plain.call_sign or None, plain.name or None, plain.kind or None,
    )  # fmt: skip


def one(part: bytes) -> Item:
    """Read one part that was not plain; say what is wrong with it, or repair it."""
    try:
        return read(json_parts.loads(part))
    except Unfit as unfit:
        return Rejected(unfit.reason, unfit.detail, part)


def read(value: Any) -> Fix:
    if not isinstance(value, dict):
        raise Unfit("unparsable", "a fix is an object")
    return fix_from(
        identity=value.get("id"),
        time=value.get("time"),
        lon=value.get("lon"),
        lat=value.get("lat"),
        speed_mps=measures.speed(value.get("speed_mps")),
        heading_deg=measures.heading(value.get("heading_deg")),
        accuracy_m=measures.accuracy(value.get("accuracy_m")),
        altitude_m=measures.altitude(value.get("altitude_m")),
        texts={name: value.get(name) for name in ("status", "call_sign", "name", "kind")},
    )


class Fixes:
    name = "fixes"
    content_types = frozenset({"application/json"})

    def parse(self, payload: bytes, *, received_at: datetime, settings: Settings) -> Sequence[Item]:
        if any(escape in payload for escape in ESCAPES):
            return [one(part) for part in self.parts(payload, settings)]
        try:
            return [fix_of(plain) for plain in PLAIN.decode(payload).fixes]
        except (Unfit, msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError):
            return [one(part) for part in self.parts(payload, settings)]

    def parts(self, payload: bytes, settings: Settings) -> Sequence[bytes]:
        return json_parts.member(payload, "fixes")
