"""The queue table, with the index that a take reads and vacuum settings for a table that is always emptied."""

from django.db import migrations

INBOUND = """
CREATE SEQUENCE ingest_inbound_id_seq CACHE 1;
CREATE TABLE ingest_inbound (
    shard smallint NOT NULL,
    id bigint NOT NULL DEFAULT nextval('ingest_inbound_id_seq'),
    source_id bigint NOT NULL,
    post_id uuid NOT NULL,
    received_us bigint NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    count integer NOT NULL,
    parcel bytea NOT NULL,
    PRIMARY KEY (shard, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER SEQUENCE ingest_inbound_id_seq OWNED BY ingest_inbound.id;
ALTER TABLE ingest_inbound ALTER COLUMN parcel SET STORAGE EXTERNAL;
ALTER TABLE ingest_post ALTER COLUMN raw SET COMPRESSION lz4;
"""
SOURCE_KEYS = """
ALTER TABLE tracks_track ADD CONSTRAINT track_has_source FOREIGN KEY (source_id) REFERENCES ingest_source (id);
ALTER TABLE incidents_call ADD CONSTRAINT call_has_source FOREIGN KEY (source_id) REFERENCES ingest_source (id);
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0001_initial"), ("tracks", "0002_fix_and_position"), ("incidents", "0001_initial")]
    operations = [
        migrations.RunSQL(INBOUND, "DROP TABLE ingest_inbound"),
        migrations.RunSQL(
            SOURCE_KEYS,
            "ALTER TABLE tracks_track DROP CONSTRAINT track_has_source; ALTER TABLE incidents_call DROP CONSTRAINT call_has_source;",
        ),
    ]
