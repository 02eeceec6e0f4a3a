"""OwnTracks over HTTP: one message or a list of them; `tst` is the fix, `vel` km/h, `acc` and `alt` meters."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.ingest import measures
from apps.ingest.adapters import json_parts
from apps.ingest.adapters.contract import Ignored, Item, Settings
from apps.ingest.adapters.each import an_object, read_each
from apps.ingest.adapters.fields import Unfit, fix_from

NOT_PLACES = frozenset(
    {"transition", "waypoint", "waypoints", "lwt", "status", "cmd", "card", "steps", "configuration", "beacon", "request", "dump"}
)


def messages(payload: bytes) -> list[Any]:
    whole = json_parts.loads(payload)
    return whole if isinstance(whole, list) else [whole]


def read(value: Any) -> Item:
    message = an_object(value, "a message")
    kind = message.get("_type")
    if kind == "location":
        return location(message)
    if isinstance(kind, str) and kind in NOT_PLACES:
        return Ignored(f"_type {kind} carries no fix")
    if kind == "encrypted":
        raise Unfit("unknown_type", "the payload is encrypted: turn off its encryption in the app and use https")
    raise Unfit("unknown_type", f"_type is {str(kind)[:40]}")


def location(message: dict[str, Any]) -> Item:
    return fix_from(
        identity=identity(message),
        time=message.get("tst"),
        lon=message.get("lon"),
        lat=message.get("lat"),
        speed_mps=measures.speed(message.get("vel"), measures.KMH_MPS),
        heading_deg=measures.heading(message.get("cog")),
        accuracy_m=measures.accuracy(message.get("acc")),
        altitude_m=measures.altitude(message.get("alt")),
        texts={},
    )


def identity(message: dict[str, Any]) -> Any:
    """Return user/device of the topic; without a topic the two letters of the tracker."""
    topic = message.get("topic")
    if isinstance(topic, str) and topic:
        return topic.removeprefix("owntracks/")
    return message.get("tid")


class OwnTracks:
    name = "owntracks"
    content_types = frozenset({"application/json"})

    def parse(self, payload: bytes, *, received_at: datetime, settings: Settings) -> Sequence[Item]:
        return read_each(messages(payload), read)

    def parts(self, payload: bytes, settings: Settings) -> Sequence[bytes]:
        return [json_parts.dumps(message) for message in messages(payload)]
