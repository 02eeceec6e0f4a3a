"""How long calls are kept. An open call is kept however old it is: its age counts from its closing."""

from apps.incidents.removal import before_calls_go
from apps.retention.definition import DAY, DataClass, Table

CALLS = DataClass(
    name="calls",
    title="Calls",
    about="Calls for service with every revision: address, narrative, units. Counted from the closing; an open call stays.",
    keep=3 * 365 * DAY,
    source="incidents_call r",
    age="r.closed_at",
    agency="r.agency_id",
    where="r.state = 'closed'",
    layers=("calls",),
    before_removal=before_calls_go,
    tables=(
        Table(
            "incidents_callrevision",
            thing="r.call_id",
            key="r.id",
            at="r.observed_at",
            agency="call.agency_id",
            joins="JOIN incidents_call call ON call.id = r.call_id",
            identity="call.number",
            place="r.geom",
        ),
        Table("incidents_call", thing="r.id", key="r.id", at="r.observed_at", agency="r.agency_id", identity="r.number", place="r.geom"),
    ),
)
