"""That a track's agency exists is checked once a statement instead of once a row.

A foreign key fires a query for each row; for 2,000 devices of one agency, made by one COPY, it asks 2,000 times the same. The
check below locks the agencies as a foreign key does (FOR KEY SHARE), so neither side can go while the other comes.
"""

import django.db.models.deletion
from django.db import migrations, models

CHECK = """
CREATE FUNCTION tracks_require_agency() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint[] := ARRAY(SELECT DISTINCT agency_id FROM made);
    found integer;
BEGIN
    PERFORM FROM accounts_agency WHERE id = ANY (wanted) FOR KEY SHARE;
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found < cardinality(wanted) THEN
        RAISE EXCEPTION 'tracks of an agency that does not exist (one of %)', wanted
            USING ERRCODE = 'foreign_key_violation', TABLE = 'tracks_track', COLUMN = 'agency_id';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tracks_track_has_agency AFTER INSERT ON tracks_track
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION tracks_require_agency();
CREATE TRIGGER tracks_track_keeps_agency AFTER UPDATE ON tracks_track
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION tracks_require_agency();

CREATE FUNCTION tracks_refuse_agency_without() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM tracks_track WHERE agency_id = OLD.id) THEN
        RAISE EXCEPTION 'agency % still has tracks', OLD.slug USING ERRCODE = 'foreign_key_violation', TABLE = 'tracks_track';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER accounts_agency_has_no_tracks AFTER DELETE ON accounts_agency
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tracks_refuse_agency_without();
"""
DROP = """
DROP TRIGGER accounts_agency_has_no_tracks ON accounts_agency;
DROP FUNCTION tracks_refuse_agency_without();
DROP TRIGGER tracks_track_keeps_agency ON tracks_track;
DROP TRIGGER tracks_track_has_agency ON tracks_track;
DROP FUNCTION tracks_require_agency();
"""


class Migration(migrations.Migration):
    dependencies = [("tracks", "0002_fix_and_position"), ("accounts", "0004_defaults_given")]
    operations = [
        migrations.RunSQL(CHECK, DROP),
        migrations.AlterField(
            model_name="track",
            name="agency",
            field=models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name="tracks", to="accounts.agency"
            ),
        ),
    ]
