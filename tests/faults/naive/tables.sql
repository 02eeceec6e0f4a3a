-- The tables that the oracle reads, as someone in a hurry makes them: serial ids, no keys, no constraints.
CREATE EXTENSION postgis;
CREATE TABLE accounts_agency (id int, slug text);
CREATE TABLE ingest_inbound (id serial, slug text, body bytea);
CREATE TABLE progress (last_id int);
CREATE TABLE ingest_reject (reason text, part bytea, detail text);
CREATE TABLE tracks_track (id serial, identity text, agency_id int);
CREATE TABLE tracks_fix (track_id int, observed_at timestamptz, geom geometry(Point, 4326), speed_mps real);
CREATE TABLE tracks_position (track_id int PRIMARY KEY, agency_id int, observed_at timestamptz, geom geometry(Point, 4326));
CREATE TABLE geofences_fence (
    id serial, agency_id int, name text, geom geometry, center geometry, radius_m float8, removed_at timestamptz
);
CREATE TABLE geofences_presence (track_id int, fence_id int, entered_at timestamptz);
CREATE TABLE geofences_transition (track_id int, fence_id int, kind text, entered_at timestamptz, observed_at timestamptz);
CREATE TABLE incidents_call (id serial, agency_id int, number text, state text, narrative text);
CREATE TABLE incidents_callrevision (call_id int, sequence int, state text, narrative text);
INSERT INTO accounts_agency VALUES (1, 'north'), (2, 'south');
INSERT INTO progress VALUES (0);
INSERT INTO geofences_fence (agency_id, name, geom)
SELECT 1 + n % 2, 'Fence ' || n, ST_Multi(ST_Buffer(ST_SetSRID(ST_Point(-95.39 + n % 6 * 0.012, 29.73 + n / 6 * 0.012), 4326), 0.005))
FROM generate_series(0, 29) AS numbers (n);
