"""History by day, and the latest position of each track; written with COPY, so made with SQL.

Real columns hold NULL for what a source does not say. A partition is made by the pipeline (CREATE, then ATTACH).
"""

from django.db import migrations

FIX = """
CREATE TABLE tracks_fix (
    track_id bigint NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    geom geometry(Point, 4326) NOT NULL,
    altitude_m real,
    speed_mps real,
    heading_deg real,
    accuracy_m real,
    status smallint NOT NULL DEFAULT 0,
    clock_offset_ms integer NOT NULL DEFAULT 0,
    PRIMARY KEY (track_id, observed_at)
) PARTITION BY RANGE (observed_at);
"""
POSITION = """
CREATE TABLE tracks_position (
    track_id bigint PRIMARY KEY,
    agency_id bigint NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    geom geometry(Point, 4326) NOT NULL,
    altitude_m real,
    speed_mps real,
    heading_deg real,
    accuracy_m real,
    status smallint NOT NULL DEFAULT 0,
    clock_offset_ms integer NOT NULL DEFAULT 0,
    boundaries bigint[],
    rev bigint NOT NULL
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0
);
"""


class Migration(migrations.Migration):
    dependencies = [("tracks", "0001_initial")]
    operations = [
        migrations.RunSQL(FIX, "DROP TABLE tracks_fix"),
        migrations.RunSQL(POSITION, "DROP TABLE tracks_position"),
    ]
