"""Who owns which shard: advisory locks on the connection that also runs the batches, so a lost lock is an aborted batch."""

from typing import Any

import psycopg

from apps.geo.shards import SHARDS

OWNERS, HELD = 0x52544F, 0x525453
"""Classes of advisory locks: one for each living owner (by backend pid), one for each shard."""
JOIN = "SELECT pg_try_advisory_lock(%s, pg_backend_pid())"
COUNT = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
TAKE = "SELECT pg_try_advisory_lock(%s, %s)"
RELEASE = "SELECT pg_advisory_unlock(%s, %s)"
STALLED_AFTER_S = 15
SILENT = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = %s AND datname = current_database() AND state_change < clock_timestamp() - make_interval(secs => %s)
"""
# Asked for silent owners only: while an old snapshot keeps dead rows, it may read millions of them.
END_IF_ROWS_WAIT = """
    SELECT pg_terminate_backend(%(pid)s) WHERE EXISTS (
        SELECT FROM pg_locks lock JOIN ingest_inbound waiting ON waiting.shard = lock.objid::int
        WHERE lock.locktype = 'advisory' AND lock.classid = %(held)s AND lock.pid = %(pid)s AND lock.granted
        AND waiting.queued_at < clock_timestamp() - make_interval(secs => %(seconds)s)
    )
"""
APPLICATION = "rtcc pipeline"
Connection = psycopg.Connection[Any]


def join(connection: Connection) -> None:
    """Count as an owner from now on, until the connection ends."""
    connection.execute(JOIN, [OWNERS])


def fair_share(connection: Connection) -> int:
    """Return how many shards each living owner should hold at most."""
    row = connection.execute(COUNT, [OWNERS]).fetchone()
    owners = max(1, int(row[0])) if row else 1
    return -(-SHARDS // owners)


def win(connection: Connection, held: list[int], most: int) -> list[int]:
    """Try to lock free shards up to `most`; return the shards newly won."""
    won: list[int] = []
    for shard in range(SHARDS):
        if len(held) + len(won) >= most:
            break
        if shard not in held:
            row = connection.execute(TAKE, [HELD, shard]).fetchone()
            if row and row[0]:
                won.append(shard)
    return won


def release(connection: Connection, shards: list[int]) -> None:
    for shard in shards:
        connection.execute(RELEASE, [HELD, shard])


def end_stalled(connection: Connection) -> list[int]:
    """End the backends of owners that made no batch for STALLED_AFTER_S while rows wait for them; return their pids."""
    silent = [row[0] for row in connection.execute(SILENT, [APPLICATION, STALLED_AFTER_S]).fetchall()]
    wanted = ({"pid": pid, "held": HELD, "seconds": STALLED_AFTER_S} for pid in silent)
    return [one["pid"] for one in wanted if connection.execute(END_IF_ROWS_WAIT, one).fetchone()]
