"""Reads of calls: the newest state of each, and what was so at a past time."""

from collections.abc import Iterable, Sequence

import orjson

from apps.incidents.features import CallRow
from apps.layers.definition import Cursor, PageQuery
from apps.layers.window import touches

# The slug of a call's source is read from ingest's table by SQL: ingest lies above this app and may not be imported.
SHOWN = """
    SELECT call.id, {rev}, agency.slug, source.slug, call.origin, call.number, {facts}.type, {facts}.priority, {facts}.rank,
        {facts}.state, {facts}.opened_at, {facts}.observed_at, {facts}.received_at, {facts}.recorded_at, {facts}.closed_at,
        {facts}.address, {facts}.cross_streets, {facts}.units::text, {facts}.uncertainty_m, {facts}.narrative,
        ST_X({facts}.geom), ST_Y({facts}.geom), {facts}.boundaries
    FROM incidents_call call
    JOIN accounts_agency agency ON agency.id = call.agency_id
    JOIN ingest_source source ON source.id = call.source_id
"""
NOW = SHOWN.format(rev="call.rev", facts="call")
CHANGED = NOW + " WHERE call.agency_id = %s AND call.rev > %s ORDER BY call.rev, call.id"
OPEN = NOW + " WHERE call.agency_id = %s AND call.state <> 'closed' ORDER BY call.rev, call.id"
PAGE = NOW + """
    WHERE call.agency_id = ANY(%(agencies)s) AND call.state <> 'closed' AND (call.rev, call.id) > (%(rev)s, %(id)s) AND {window}
    ORDER BY call.rev, call.id LIMIT %(limit)s
"""
# Of what was said by then, the highest sequence stands, as it does now; so `at` the present is the present. CallStanding only
# narrows the calls to those with an open statement that can have stood then (about as many as were open); the rule decides.
PAST = SHOWN.format(rev="0", facts="fact") + """
    JOIN (
        SELECT DISTINCT standing.call_id FROM incidents_callstanding standing
        WHERE standing.during @> least(%(at)s, %(known)s)::timestamptz AND standing.call_id > %(id)s
    ) candidate ON candidate.call_id = call.id
    CROSS JOIN LATERAL (
        SELECT * FROM incidents_callrevision said
        WHERE said.call_id = call.id AND said.observed_at <= %(at)s AND said.recorded_at <= %(known)s
        ORDER BY said.sequence DESC LIMIT 1
    ) fact
    WHERE call.agency_id = ANY(%(agencies)s) AND fact.state <> 'closed' AND {window}
    ORDER BY call.id LIMIT %(limit)s
"""


def rows(fetched: Iterable[Sequence[object]]) -> list[CallRow]:
    """Return typed rows. JSON comes as text, since Django's cursor and psycopg's load it differently."""
    made = (CallRow(*row) for row in fetched)  # type: ignore[arg-type]
    return [row._replace(units=orjson.loads(str(row.units))) for row in made]


def changed_calls(cursor: Cursor, agency_id: int, after_rev: int) -> list[CallRow]:
    """Return the open calls (after_rev = 0), or every call that changed after a revision, the closed ones too."""
    if after_rev:
        cursor.execute(CHANGED, [agency_id, after_rev])
    else:
        cursor.execute(OPEN, [agency_id])
    return rows(cursor.fetchall())


def open_calls(cursor: Cursor, query: PageQuery) -> list[CallRow]:
    """Return one page of the calls that are open, or were by `query.at` as known by `query.known`.

    Past states have revision 0 and are paged by id, because a past state has no revision of its own.
    """
    past = query.at is not None or query.known is not None
    window, box = touches("fact.geom" if past else "call.geom", query.bbox)
    times = {"at": query.at or "infinity", "known": query.known or "infinity"} if past else {}
    rev, id = query.after
    values = {"agencies": list(query.agencies), "rev": rev, "id": id, "limit": query.limit, **times, **box}
    cursor.execute((PAST if past else PAGE).format(window=window), values)
    return rows(cursor.fetchall())
