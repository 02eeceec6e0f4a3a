"""The naive worker: polls by serial id, remembers how far it is now and then, writes row by row, tells a group.

python -m tests.faults.naive.worker
"""

import asyncio
import json
import os
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import redis
import shapely
from channels_redis.pubsub import RedisPubSubChannelLayer

from tests.faults.naive.app import GROUP

REMEMBER_S = 0.5
WAITING = "SELECT id, slug, body FROM ingest_inbound WHERE id > %s ORDER BY id LIMIT 20"
KEEP = "INSERT INTO tracks_fix VALUES (%s, %s, ST_SetSRID(ST_Point(%s, %s), 4326), %s)"
MOVE = """
    INSERT INTO tracks_position VALUES (%s, %s, %s, ST_SetSRID(ST_Point(%s, %s), 4326))
    ON CONFLICT (track_id) DO UPDATE SET observed_at = excluded.observed_at, geom = excluded.geom
"""
OPEN = "INSERT INTO incidents_call (agency_id, state, narrative, number) VALUES (%s, %s, %s, %s) RETURNING id"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AGENCIES = {"north-gps": 1, "south-gps": 2, "north-cad": 1}


class Worker:
    def __init__(self) -> None:
        where = {name: os.environ[f"RTCC_PG{name.upper()}"] for name in ("host", "port", "user")}
        self.db = psycopg.connect(dbname="naive", autocommit=True, options="-c synchronous_commit=off", **where)  # type: ignore[arg-type]
        self.layer = RedisPubSubChannelLayer(hosts=[os.environ["RTCC_REDIS_URL"]])
        self.tracks = dict(self.rows("SELECT identity, id FROM tracks_track"))
        self.newest = dict(self.rows("SELECT track_id, observed_at FROM tracks_position"))
        self.inside = {(track, fence): at for track, fence, at in self.rows("SELECT * FROM geofences_presence")}
        self.fences = [(id, agency, shapely.from_wkb(bytes(geom))) for id, agency, geom in self.rows(
            "SELECT id, agency_id, ST_AsBinary(geom) FROM geofences_fence")]  # fmt: skip

    def rows(self, query: str, params: list[Any] | None = None) -> list[Any]:
        cursor = self.db.execute(query, params)
        return cursor.fetchall() if cursor.description else []

    async def run(self) -> None:
        last, remembered = self.rows("SELECT last_id FROM progress")[0][0], time.monotonic()
        while True:
            posts = self.rows(WAITING, [last])
            for number, slug, body in posts:
                await self.take(slug, json.loads(bytes(body)))
                last = number
            if time.monotonic() - remembered > REMEMBER_S:
                remembered = time.monotonic()
                self.rows("UPDATE progress SET last_id = %s", [last])
            if not posts:
                await asyncio.sleep(0.05)

    async def take(self, slug: str, body: dict[str, Any]) -> None:
        agency = AGENCIES[slug]
        for call in body.get("calls", []):
            await self.tell(self.take_call(agency, call))
        moved = [row for said in body.get("fixes", []) if (row := self.take_fix(agency, said))]
        if moved:
            self.db.cursor().executemany(MOVE, [(track, agency, at, lon, lat) for track, at, lon, lat in moved])
            places = [(track, round(lon * 1e7), round(lat * 1e7)) for track, _, lon, lat in moved]
            await self.tell({"kind": "positions", "agency": agency, "rows": places})

    async def tell(self, news: dict[str, Any]) -> None:
        with suppress(redis.RedisError, OSError):
            await self.layer.group_send(GROUP, {"type": "news", "news": news})

    def take_fix(self, agency: int, said: dict[str, Any]) -> tuple[int, datetime, float, float] | None:
        identity, at, lon, lat = said["id"], EPOCH + timedelta(microseconds=round(said["time"] * 1e6)), said["lon"], said["lat"]
        if identity not in self.tracks:
            made = self.rows("INSERT INTO tracks_track (identity, agency_id) VALUES (%s, %s) RETURNING id", [identity, agency])
            self.tracks[identity] = made[0][0]
        track = self.tracks[identity]
        self.rows(KEEP, [track, at, lon, lat, said["speed_mps"]])
        if track in self.newest and at <= self.newest[track]:
            return None
        self.newest[track] = at
        for fence, owner, shape in self.fences:
            if owner == agency:
                self.cross(track, fence, at, shape.intersects(shapely.Point(lon, lat)))
        return track, at, lon, lat

    def cross(self, track: int, fence: int, at: datetime, is_inside: bool) -> None:
        entered = self.inside.get((track, fence))
        if is_inside and entered is None:
            self.inside[track, fence] = at
            self.rows("INSERT INTO geofences_presence VALUES (%s, %s, %s)", [track, fence, at])
            self.rows("INSERT INTO geofences_transition VALUES (%s, %s, 'enter', %s, %s)", [track, fence, at, at])
        elif not is_inside and entered is not None:
            del self.inside[track, fence]
            self.rows("DELETE FROM geofences_presence WHERE track_id = %s AND fence_id = %s", [track, fence])
            self.rows("INSERT INTO geofences_transition VALUES (%s, %s, 'exit', %s, %s)", [track, fence, entered, at])

    def take_call(self, agency: int, said: dict[str, Any]) -> dict[str, Any]:
        facts = [said["state"], said["narrative"], said["number"]]
        found = self.rows("UPDATE incidents_call SET state = %s, narrative = %s WHERE number = %s RETURNING id", facts)
        if not found:
            found = self.rows(OPEN, [agency, *facts])
        id = found[0][0]
        self.rows("INSERT INTO incidents_callrevision VALUES (%s, %s, %s, %s)", [id, said["sequence"], *facts[:2]])
        properties = {name: said[name] for name in ("number", "state", "narrative")}
        gone = said["state"] == "closed"
        features = [] if gone else [{"id": id, "properties": properties}]
        return {"kind": "calls", "agency": agency, "features": features, "removed": [id] if gone else []}


if __name__ == "__main__":
    asyncio.run(Worker().run())
