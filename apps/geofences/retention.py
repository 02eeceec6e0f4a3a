"""How long crossings and fences that were removed are kept."""

from dataclasses import replace

from apps.retention.definition import DAY, DataClass, Table

OF_FENCE = "JOIN geofences_fence fence ON fence.id = r.fence_id JOIN tracks_track track ON track.id = r.track_id"
CROSSING = Table(
    "geofences_transition",
    thing="r.id",
    key="r.id",
    at="r.observed_at",
    agency="fence.agency_id",
    joins=OF_FENCE,
    identity="track.identity, fence.name",
)
STAY = Table(
    "geofences_presence",
    thing="r.track_id || '/' || r.fence_id",
    key="r.track_id || '/' || r.fence_id",
    at="r.entered_at",
    agency="fence.agency_id",
    joins=OF_FENCE,
    identity="track.identity, fence.name",
)
CROSSINGS = DataClass(
    name="crossings",
    title="Fence crossings",
    about="When which device went into and out of a fence.",
    keep=90 * DAY,
    source="geofences_transition r JOIN geofences_fence fence ON fence.id = r.fence_id",
    age="r.observed_at",
    agency="fence.agency_id",
    tables=(CROSSING,),
)
STAYS = DataClass(
    name="stays",
    title="Who is inside a fence",
    about="Since when a device is inside a fence. It stays while the device's latest place is kept, and goes when that is gone.",
    keep=90 * DAY,
    source="geofences_presence r JOIN geofences_fence fence ON fence.id = r.fence_id",
    key="r.track_id || '/' || r.fence_id",
    key_type="text",
    age="r.entered_at",
    agency="fence.agency_id",
    where="NOT EXISTS (SELECT FROM tracks_position latest WHERE latest.track_id = r.track_id)",
    limited_by=("positions",),
    tables=(STAY,),
)


FENCES = DataClass(
    name="fences",
    title="Fences that were removed",
    about="Areas that people drew and took away, with their earlier shapes. Counted from the removal. A fence in use stays, and one that"
    " has crossings waits for their rule.",
    keep=3 * 365 * DAY,
    source="geofences_fence r",
    age="r.removed_at",
    agency="r.agency_id",
    where="r.removed_at IS NOT NULL AND NOT EXISTS (SELECT FROM geofences_transition past WHERE past.fence_id = r.id)",
    after=("crossings",),
    layers=("fences",),
    tables=(
        replace(CROSSING, thing="r.fence_id", of="crossings"),
        replace(STAY, thing="r.fence_id", of="stays"),
        Table(
            "geofences_fencerevision",
            thing="r.fence_id",
            key="r.id",
            at="r.recorded_at",
            agency="fence.agency_id",
            joins="JOIN geofences_fence fence ON fence.id = r.fence_id",
            identity="r.name",
            place="r.geom",
        ),
        Table(
            "geofences_fence", thing="r.id", key="r.id", at="r.active_from", agency="r.agency_id", identity="r.name", place="r.geom"
        ),
    ),
)
