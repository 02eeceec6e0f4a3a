"""The latest positions are found by an index that does not check for doubles.

Each track has one writer (the owner of its shard, by advisory lock), so there are none. A unique index looks at every version of
a row before it takes another: while an old snapshot keeps them all, that is one more each second for each track.
"""

from django.db import migrations

PLAIN = """
ALTER TABLE tracks_position DROP CONSTRAINT tracks_position_pkey;
CREATE INDEX tracks_position_by_track ON tracks_position (track_id);
"""
UNIQUE = """
DROP INDEX tracks_position_by_track;
ALTER TABLE tracks_position ADD PRIMARY KEY (track_id);
"""


class Migration(migrations.Migration):
    dependencies = [("tracks", "0004_cheaper_indexes")]
    operations = [migrations.RunSQL(PLAIN, UNIQUE)]
