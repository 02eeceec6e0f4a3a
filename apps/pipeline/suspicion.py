"""Which shard, and which observation in it, ends the process that works on it.

An owner marks its shards unclean when it wins them and clean when it gives them back or has run a batch. A shard found
unclean twice in a row is suspect. Suspect shards run alone, each named first (`trying_id` = -1); the one that is named when
the process ends again is the culprit. Its observations run alone, each named first (`trying_index`); the one that is named
when the process ends is set aside. Other suspects stay apart meanwhile: there may be a second culprit among them.
"""

from dataclasses import dataclass, field
from typing import Any

import psycopg

ALONE = -1
STRIKES = 2
MARK = """
    INSERT INTO pipeline_shardstate (shard, ended_cleanly, strikes) SELECT shard, false, 0 FROM unnest(%s::smallint[]) AS won (shard)
    ON CONFLICT (shard) DO UPDATE SET ended_cleanly = false,
        strikes = pipeline_shardstate.strikes + CASE WHEN pipeline_shardstate.ended_cleanly THEN 0 ELSE 1 END
    RETURNING shard, strikes, trying_id, trying_index
"""
FORGIVE = """
    UPDATE pipeline_shardstate SET ended_cleanly = %s, strikes = 0, trying_id = NULL, trying_index = NULL WHERE shard = ANY(%s)
"""
NAME = "UPDATE pipeline_shardstate SET trying_id = %s, trying_index = %s WHERE shard = %s"
Connection = psycopg.Connection[Any]


@dataclass
class Suspicion:
    """What is known of the held shards. `killer` names the queue row and place in its post that ended a process."""

    suspects: set[int] = field(default_factory=set)
    culprits: set[int] = field(default_factory=set)
    killer: dict[int, tuple[int, int]] = field(default_factory=dict)
    marked: set[int] = field(default_factory=set)

    @property
    def apart(self) -> set[int]:
        """Shards that may not run together with others."""
        return self.suspects | self.culprits

    def mark(self, connection: Connection, won: list[int]) -> None:
        """Note that these shards have an owner; learn how their last owners ended."""
        rows = connection.execute(MARK, [won]).fetchall()
        self.marked |= set(won)
        for shard, strikes, trying_id, trying_index in rows:
            if trying_id is not None and strikes:
                self.culprits.add(shard)
                if trying_id != ALONE:
                    self.killer[shard] = (trying_id, trying_index)
            elif strikes >= STRIKES:
                self.suspects.add(shard)

    def forgive(self, connection: Connection, shards: set[int]) -> None:
        """These shards ran well: they may run together with the others."""
        if shards:
            connection.execute(FORGIVE, [True, sorted(shards)])
        self.suspects -= shards
        self.culprits -= shards
        self.marked -= shards

    def name(self, connection: Connection, shard: int, row_id: int, index: int | None) -> None:
        """Commit what is tried next, before it is tried."""
        connection.execute(NAME, [row_id, index, shard])
