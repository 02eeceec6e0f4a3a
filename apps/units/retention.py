"""How long it is kept who was on duty with which device."""

from apps.retention.definition import DAY, DataClass, Table

ASSIGNMENTS = DataClass(
    name="assignments",
    title="Duty assignments",
    about="Which device, vehicle and crew a call sign had, on which shift and beat. Counted from the end; one that lasts stays.",
    keep=365 * DAY,
    source="units_assignment r JOIN units_unit unit ON unit.id = r.unit_id",
    age="r.ends_at",
    agency="unit.agency_id",
    where="r.ends_at IS NOT NULL",
    layers=("units",),
    tables=(
        Table(
            "units_assignment",
            thing="r.id",
            key="r.id",
            at="r.starts_at",
            agency="unit.agency_id",
            joins="JOIN units_unit unit ON unit.id = r.unit_id JOIN tracks_track track ON track.id = r.track_id",
            identity="unit.call_sign, track.identity",
        ),
    ),
)
