"""How long places are kept. A day goes whole when it is older than every agency's rule; of the days that stay, what is older than
its own agency's rule goes row by row. The latest place of a device is one of its places, and goes with them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import connection, transaction

from apps.layers.definition import Cursor
from apps.layers.revisions import publishing
from apps.retention import holding
from apps.retention.definition import DAY, DataClass, Limit, Removed, Table
from apps.retention.removal import PATIENCE, limited, remove_things, tally
from apps.tracks.days import StoredDay, day_of, detach, stored_days

# Which call sign the device had then; units lies above this app and is read by SQL.
OF_TRACK = """
    JOIN tracks_track track ON track.id = r.track_id
    LEFT JOIN LATERAL (
        SELECT unit.call_sign FROM units_assignment duty JOIN units_unit unit ON unit.id = duty.unit_id
        WHERE duty.track_id = r.track_id AND duty.starts_at <= r.observed_at AND (duty.ends_at IS NULL OR duty.ends_at > r.observed_at)
        LIMIT 1
    ) duty ON TRUE
"""
FIX = Table(
    "tracks_fix",
    thing="r.ctid::text",
    key="r.track_id || '/' || (extract(epoch FROM r.observed_at) * 1000000)::bigint",
    at="r.observed_at",
    agency="track.agency_id",
    joins=OF_TRACK,
    identity="track.identity, duty.call_sign",
    place="r.geom",
    whose="r.ctid = ANY(%(things)s::tid[])",
)
LATEST = Table(
    "tracks_position",
    thing="r.track_id",
    key="r.track_id",
    at="r.observed_at",
    agency="r.agency_id",
    joins=OF_TRACK,
    identity="track.identity, duty.call_sign",
    place="r.geom",
    ages=True,
)
IN_DAY = """
    SELECT old.place, track.agency_id FROM tracks_track track
    JOIN unnest(%(agencies)s::bigint[], %(befores)s::timestamptz[]) AS rule (agency_id, before) ON rule.agency_id = track.agency_id
    CROSS JOIN LATERAL (
        SELECT r.ctid::text AS place FROM {day} r WHERE r.track_id = track.id AND r.observed_at < rule.before LIMIT %(most)s
    ) old LIMIT %(most)s
"""
SILENT = """
    SELECT r.track_id, r.agency_id FROM tracks_position r
    JOIN unnest(%(agencies)s::bigint[], %(befores)s::timestamptz[]) AS rule (agency_id, before) ON rule.agency_id = r.agency_id
    WHERE r.observed_at < rule.before
"""
STILL_SILENT = "SELECT track_id FROM tracks_position WHERE track_id = ANY(%s) AND observed_at < %s"
BURY = """
    INSERT INTO layers_tombstone (layer, agency_id, feature_id, rev, removed_at)
    SELECT 'units', %s, gone, %s, clock_timestamp() FROM unnest(%s::bigint[]) AS gone
"""
COUNT = "SELECT track.agency_id, count(*) FROM {day} r JOIN tracks_track track ON track.id = r.track_id GROUP BY 1"
DETACH_PATIENCE = "SET statement_timeout = '20s'"


def remove(limits: Sequence[Limit], at: datetime, most: int) -> Removed:
    """Drop one day that is older than every rule, or else remove at most about `most` fixes and the latest places of the silent."""
    with connection.cursor() as cursor:
        days = stored_days(cursor)
    last = day_of(min(before for _, before in limits))
    oldest = next((stored for stored in days if stored.day < last), None)
    if oldest is not None:
        return drop(oldest, at)
    return trim(days, limits, at, most) if days and days[0].day <= day_of(max(before for _, before in limits)) else silence(limits, at)


def drop(stored: StoredDay, at: datetime) -> Removed:
    """Take the day out, then copy what holds find in it, count it and drop it in one transaction: nothing can come into it."""
    with connection.cursor() as cursor:
        cursor.execute(DETACH_PATIENCE)
        try:
            detach(cursor, stored)
        finally:
            cursor.execute("RESET statement_timeout")
        with transaction.atomic():
            removed = going(cursor, replace(FIX, stored=stored.name), at)
            tally(cursor, POSITIONS.name, removed, at)
            cursor.execute(f"DROP TABLE {stored.name}")
    removed.more = True
    return removed


def going(cursor: Cursor, day: Table, at: datetime) -> Removed:
    """Count a whole day, and copy what holds find in it."""
    removed = Removed()
    cursor.execute(COUNT.format(day=day.stored))
    for agency, count in cursor.fetchall():
        removed.rows[FIX.name, agency] = count
    if holding.are_holds(cursor, POSITIONS):
        given = holding.values(POSITIONS, FIX, at=at)
        cursor.execute(holding.copying(day, rows=day.rows), given)
        cursor.execute(holding.having(day), given)
        for agency, count in cursor.fetchall():
            removed.held[FIX.name, agency] = count
    return removed


def trim(days: Sequence[StoredDay], limits: Sequence[Limit], at: datetime, most: int) -> Removed:
    """Remove old fixes from the first day that has any; when none has, the latest places of devices that fell silent."""
    newest = day_of(max(before for _, before in limits))
    for stored in days:
        if stored.day > newest:
            break
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(PATIENCE)
            cursor.execute(IN_DAY.format(day=stored.name), limited(limits) | {"most": most})
            owner = dict(cursor.fetchall())
            removed = remove_things(cursor, replace(POSITIONS, tables=(replace(FIX, stored=stored.name),)), owner, at)
        if removed.count:
            removed.more = True
            return removed
    return silence(limits, at)


def silence(limits: Sequence[Limit], at: datetime) -> Removed:
    """Remove the latest places that are older than the rule, under the layer's revision as the pipeline writes them."""
    with connection.cursor() as cursor:
        cursor.execute(SILENT, limited(limits))
        silent: dict[int, list[int]] = {}
        for track, agency in cursor.fetchall():
            silent.setdefault(agency, []).append(track)
    removed = Removed()
    if not silent:
        return removed
    with publishing() as publication:
        for agency, tracks in silent.items():
            publication.touch("units", agency, Silencing(agency, tracks, dict(limits)[agency], at, removed).write)
    return removed


class Silencing:
    """Removes latest places of one agency at a revision, with the marks by which open maps hear of it."""

    def __init__(self, agency: int, tracks: list[int], before: datetime, at: datetime, removed: Removed) -> None:
        self.agency, self.tracks, self.before, self.at, self.removed = agency, tracks, before, at, removed

    def write(self, rev: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(STILL_SILENT, [self.tracks, self.before])
            gone = [track for (track,) in cursor.fetchall()]
            done = remove_things(cursor, replace(POSITIONS, tables=(LATEST,)), dict.fromkeys(gone, self.agency), self.at)
            cursor.execute(BURY, [self.agency, rev, gone])
        self.removed.rows += done.rows
        self.removed.held += done.held


POSITIONS = DataClass(
    name="positions",
    title="Places of devices and units",
    about="Every place that a device reported, and the latest of each. A device that was silent for longer leaves the map.",
    keep=90 * DAY,
    source="tracks_fix r JOIN tracks_track track ON track.id = r.track_id",
    age="r.observed_at",
    agency="track.agency_id",
    layers=("units",),
    kept_before=True,
    remove=remove,
    tables=(LATEST, FIX),
)
