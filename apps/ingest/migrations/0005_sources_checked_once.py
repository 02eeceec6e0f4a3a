"""That a track's source exists is checked once a statement, as its agency is (tracks 0003)."""

from django.db import migrations

CHECK = """
CREATE FUNCTION ingest_require_source() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint[] := ARRAY(SELECT DISTINCT source_id FROM made);
    found integer;
BEGIN
    PERFORM FROM ingest_source WHERE id = ANY (wanted) FOR KEY SHARE;
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found < cardinality(wanted) THEN
        RAISE EXCEPTION 'tracks of a source that does not exist (one of %)', wanted
            USING ERRCODE = 'foreign_key_violation', TABLE = 'tracks_track', COLUMN = 'source_id';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tracks_track_has_source AFTER INSERT ON tracks_track
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION ingest_require_source();
CREATE TRIGGER tracks_track_keeps_source AFTER UPDATE ON tracks_track
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION ingest_require_source();

CREATE FUNCTION ingest_refuse_source_without() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM tracks_track WHERE source_id = OLD.id) THEN
        RAISE EXCEPTION 'source % still has tracks', OLD.slug USING ERRCODE = 'foreign_key_violation', TABLE = 'tracks_track';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ingest_source_has_no_tracks AFTER DELETE ON ingest_source
FOR EACH ROW EXECUTE FUNCTION ingest_refuse_source_without();

ALTER TABLE tracks_track DROP CONSTRAINT track_has_source;
"""
RESTORE = """
ALTER TABLE tracks_track ADD CONSTRAINT track_has_source FOREIGN KEY (source_id) REFERENCES ingest_source (id);
DROP TRIGGER ingest_source_has_no_tracks ON ingest_source;
DROP FUNCTION ingest_refuse_source_without();
DROP TRIGGER tracks_track_keeps_source ON tracks_track;
DROP TRIGGER tracks_track_has_source ON tracks_track;
DROP FUNCTION ingest_require_source();
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0004_outbound_use"), ("tracks", "0003_agency_checked_once")]
    operations = [migrations.RunSQL(CHECK, RESTORE)]
