"""A call that is erased has been in tiles that only the past shows: one head for all of an agency's past, at zoom 0.

Heads by tile know where a call was last. So the tags of the past hold how often anything of the agency was erased, or changed
without a new revision. Also: a call that comes to another agency is news for that agency's tiles.
"""

from django.db import migrations

PAST = """
CREATE OR REPLACE FUNCTION incidents_past_changed(agency bigint, times bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO layers_tilehead AS known (layer, agency_id, zoom, tile, rev, erased) VALUES ('calls', agency, 0, 0, 0, times)
    ON CONFLICT ON CONSTRAINT layers_tilehead_pkey DO UPDATE SET erased = known.erased + excluded.erased
$$;
CREATE FUNCTION incidents_tell_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM incidents_past_changed(agency_id, count(*)) FROM erased GROUP BY agency_id ORDER BY agency_id;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_calls_erased AFTER DELETE ON incidents_call REFERENCING OLD TABLE AS erased
FOR EACH STATEMENT EXECUTE FUNCTION incidents_tell_erased();
CREATE OR REPLACE FUNCTION incidents_forget_tiles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM incidents_callcount;
    UPDATE layers_tilehead SET erased = erased + 1 WHERE layer = 'calls' AND zoom > 0;
    PERFORM incidents_past_changed(id, 1) FROM accounts_agency ORDER BY id;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION incidents_keep_tiles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM FROM layers_layerrevision WHERE layer = 'calls' AND agency_id = OLD.agency_id FOR UPDATE;
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.place IS NOT NULL THEN
        -- Also what changes without a new revision, such as a cell that is given later, makes another tile.
        PERFORM incidents_touch_tiles(OLD.agency_id, OLD.place, CASE TG_OP WHEN 'DELETE' THEN 0 ELSE NEW.rev END,
            CASE WHEN TG_OP = 'DELETE' OR NEW.rev = OLD.rev THEN 1 ELSE 0 END);
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.rev = OLD.rev THEN
        PERFORM incidents_past_changed(OLD.agency_id, 1);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.place IS NOT NULL AND (TG_OP = 'INSERT'
        OR (NEW.place, NEW.agency_id) IS DISTINCT FROM (OLD.place, OLD.agency_id)) THEN
        PERFORM incidents_touch_tiles(NEW.agency_id, NEW.place, NEW.rev, 0);
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.place, OLD.cell, OLD.agency_id, incidents_month(OLD.opened_at))
        IS NOT DISTINCT FROM (NEW.place, NEW.cell, NEW.agency_id, incidents_month(NEW.opened_at)) THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM incidents_uncount_call(OLD);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM incidents_count_call(NEW);
    END IF;
    RETURN NULL;
END $$;
"""
DROP = """
DROP TRIGGER incidents_calls_erased ON incidents_call;
DROP FUNCTION incidents_tell_erased();
"""


class Migration(migrations.Migration):
    """Backwards the changed functions stay as they are, and with them what they call: they do no harm to older code."""

    dependencies = [("incidents", "0007_tiles")]
    operations = [migrations.RunSQL(PAST, DROP)]
