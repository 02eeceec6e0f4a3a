"""The JSON messages about the instance itself: hello and heartbeat. Encoded without their opening number."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from apps.geo.clock import microseconds
from apps.layers.definition import Layer
from apps.live.client import Client, Rights
from apps.live.reader import Key, Reader, State
from apps.live.replica import Replica
from apps.live.tiles import TILE_ZOOM

PROTOCOL = "rtcc.live.v1"
HEARTBEAT_S = 1
# An agency's extent: its own area, else what its boundaries and fences cover, else where its units are.
AGENCIES = """
    SELECT agency.id, agency.slug, agency.name, agency.time_zone,
        json_build_object('length', agency.length_unit, 'distance', agency.distance_unit, 'speed', agency.speed_unit),
        (SELECT json_build_array(ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box)) FROM (SELECT coalesce(
            Box2D(agency.area),
            (SELECT ST_Extent(geom) FROM boundaries_boundary WHERE agency_id = agency.id AND valid_to IS NULL),
            (SELECT ST_Extent(geom) FROM geofences_fence WHERE agency_id = agency.id AND removed_at IS NULL),
            (SELECT ST_Extent(geom) FROM tracks_position WHERE agency_id = agency.id)) AS box) extent WHERE box IS NOT NULL),
        (SELECT coalesce(json_agg(json_build_object('number', number, 'code', code, 'label', label, 'letter', letter,
            'meaning', meaning) ORDER BY number), '[]') FROM accounts_statuscode WHERE agency_id = agency.id),
        (SELECT coalesce(json_agg(json_build_object('code', code, 'label', label, 'rank', rank) ORDER BY rank, code), '[]')
            FROM accounts_prioritycode WHERE agency_id = agency.id)
    FROM accounts_agency agency ORDER BY agency.name
"""
AGENCY_FIELDS = ("id", "slug", "name", "time_zone", "units", "extent", "statuses", "priorities")
FEEDS = """
    SELECT source.slug, source.name, source.agency_id, source.adapter, source.origin, health.last_message_at, source.interval_s,
        (SELECT count(*) FROM ingest_reject reject WHERE reject.received_at > %s AND reject.source_id = source.id)
    FROM ingest_source source LEFT JOIN ingest_sourcehealth health ON health.source_id = source.id
    WHERE source.enabled ORDER BY source.name
"""
FEED_FIELDS = ("source", "name", "agency", "layer", "origin", "last_message_at", "interval_s", "rejects_hour")
CALL_ADAPTERS = ("calls", "arcgis")


def read_agencies(reader: Reader) -> list[dict[str, Any]]:
    return [dict(zip(AGENCY_FIELDS, row, strict=True)) for row in reader.rows(AGENCIES, [])]


def read_feeds(reader: Reader, rejects_after: datetime) -> list[dict[str, Any]]:
    """Return the state of every enabled source."""
    feeds = [dict(zip(FEED_FIELDS, row, strict=True)) for row in reader.rows(FEEDS, [rejects_after])]
    for feed in feeds:
        feed["layer"] = "calls" if feed["layer"].startswith(CALL_ADAPTERS) else "units"
        last = feed["last_message_at"]
        feed["last_message_at"] = last and microseconds(last) / 1000
    return feeds


def hello(client: Client, agencies: Iterable[dict[str, Any]], layers: Iterable[Layer], state: State) -> bytes:
    visible = {agency for _, agency, action in client.rights if action == "view"}
    clock = state.instance.clock
    return _tail(
        "hello",
        protocol=PROTOCOL,
        instance={"kind": state.instance.kind, "origins": sorted(state.instance.origins)},
        clock={"now": microseconds(clock.now()) / 1000, "speed": clock.speed},
        tile_zoom=TILE_ZOOM,
        heartbeat_s=HEARTBEAT_S,
        member={"username": client.member.username, "name": client.member.name, "roles": client.roles},
        agencies=[agency for agency in agencies if agency["id"] in visible],
        layers=[
            {"name": layer.name, "title": layer.title, "kind": layer.kind, "agencies": _visible(client.rights, layer.name)}
            for layer in layers
        ],
    )


def heartbeat(rights: Rights, replica: Replica, feeds: list[dict[str, Any]], now_ms: float, speed: float) -> bytes:
    """Return the heartbeat of all who have these rights. `unlocated` counts calls without a place, by agency."""
    seen = sorted((layer, agency) for layer, agency, action in rights if action == "view" and layer in replica.layers)
    counts: dict[str, dict[str, int]] = {}
    for key in seen:
        counts.setdefault(key[0], {})[str(key[1])] = _count(replica, key)
    unlocated = {str(agency): len(replica.feature_set(("calls", agency)).unlocated) for layer, agency in seen if layer == "calls"}
    mine = [feed for feed in feeds if (feed["layer"], feed["agency"]) in seen]
    return _tail("heartbeat", now=now_ms, speed=speed, counts=counts, unlocated=unlocated, feeds=mine)


def _count(replica: Replica, key: Key) -> int:
    return replica.positions.count(key[1]) if key[0] in replica.moving else len(replica.feature_set(key).geojson)


def _visible(rights: Rights, layer: str) -> list[int]:
    return sorted(agency for name, agency, action in rights if name == layer and action == "view")


def _tail(kind: str, **body: Any) -> bytes:
    return orjson.dumps({"type": kind, **body})[1:]
