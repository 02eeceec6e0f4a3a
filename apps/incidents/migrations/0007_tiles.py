"""What tiles are made of: how many calls of a month lie in each tile and cell, and what changed last in each tile.

Both are filled from the calls there are, then kept by trigger. The trigger comes first, since its lock keeps writers out until all is
filled and committed. Whoever erases calls takes the lock of the layer's revision before it touches heads and counts, as the
pipeline has done by then.
"""

from django.db import migrations, models

# Zoom of the tiles, and resolution of the cells, that are counted together.
LEVELS = "(VALUES (7, 5), (8, 6), (9, 7), (11, 8), (12, 9)) AS level (zoom, resolution)"
HEADS = "(VALUES (8), (14)) AS head (zoom)"
KEEP = f"""
CREATE FUNCTION incidents_parent(cell bigint, resolution int) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN cell > 0
        THEN (cell & ~(15::bigint << 52)) | (resolution::bigint << 52) | ((1::bigint << (3 * (15 - resolution))) - 1) ELSE 0 END
$$;
CREATE FUNCTION incidents_month(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT date_trunc('month', at AT TIME ZONE 'UTC')::date
$$;
CREATE FUNCTION incidents_touch_tiles(agency bigint, place bigint, changed bigint, gone int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO layers_tilehead AS known (layer, agency_id, zoom, tile, rev, erased)
    SELECT 'calls', agency, head.zoom, place >> (2 * (31 - head.zoom)), changed, gone FROM {HEADS} ORDER BY head.zoom
    ON CONFLICT ON CONSTRAINT layers_tilehead_pkey
    DO UPDATE SET rev = greatest(known.rev, excluded.rev), erased = known.erased + excluded.erased;
END $$;
CREATE FUNCTION incidents_past_changed(agency bigint) RETURNS void LANGUAGE sql AS $$
    -- A call that is erased may have been in any tile that the past shows: one head, of zoom 0, for all of them. Once a transaction
    -- is enough: nobody else sees what was between.
    INSERT INTO layers_tilehead AS known (layer, agency_id, zoom, tile, rev, erased) VALUES ('calls', agency, 0, 0, 0, 1)
    ON CONFLICT ON CONSTRAINT layers_tilehead_pkey DO UPDATE SET erased = known.erased + excluded.erased
    WHERE known.xmin <> pg_current_xact_id()::xid
$$;
CREATE FUNCTION incidents_count_call(one incidents_call) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO incidents_callcount AS known (agency_id, zoom, tile, cell, month, count)
    SELECT one.agency_id, level.zoom, one.place >> (2 * (31 - level.zoom)), incidents_parent(one.cell, level.resolution),
        incidents_month(one.opened_at), 1 FROM {LEVELS} WHERE one.place IS NOT NULL ORDER BY level.zoom
    ON CONFLICT ON CONSTRAINT incidents_callcount_pkey DO UPDATE SET count = known.count + 1;
END $$;
CREATE FUNCTION incidents_uncount_call(one incidents_call) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    level record;
    opened date := incidents_month(one.opened_at);
    remaining int;
BEGIN
    FOR level IN SELECT zoom, one.place >> (2 * (31 - zoom)) AS tile, incidents_parent(one.cell, resolution) AS cell
        FROM {LEVELS} WHERE one.place IS NOT NULL ORDER BY zoom
    LOOP
        UPDATE incidents_callcount SET count = count - 1 WHERE agency_id = one.agency_id AND zoom = level.zoom
            AND tile = level.tile AND cell = level.cell AND month = opened RETURNING count INTO remaining;
        IF remaining <= 0 THEN
            DELETE FROM incidents_callcount WHERE agency_id = one.agency_id AND zoom = level.zoom
                AND tile = level.tile AND cell = level.cell AND month = opened;
        END IF;
    END LOOP;
END $$;
CREATE FUNCTION incidents_keep_tiles() RETURNS trigger LANGUAGE plpgsql AS $$
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
        PERFORM incidents_past_changed(OLD.agency_id);
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
CREATE TRIGGER incidents_call_tiles AFTER INSERT OR UPDATE OR DELETE ON incidents_call
FOR EACH ROW EXECUTE FUNCTION incidents_keep_tiles();
CREATE FUNCTION incidents_tell_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM incidents_past_changed(agency_id) FROM erased GROUP BY agency_id ORDER BY agency_id;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_calls_erased AFTER DELETE ON incidents_call REFERENCING OLD TABLE AS erased
FOR EACH STATEMENT EXECUTE FUNCTION incidents_tell_erased();
CREATE FUNCTION incidents_forget_tiles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM incidents_callcount;
    UPDATE layers_tilehead SET erased = erased + 1 WHERE layer = 'calls' AND zoom > 0;
    PERFORM incidents_past_changed(id) FROM accounts_agency ORDER BY id;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_calls_forgotten AFTER TRUNCATE ON incidents_call
FOR EACH STATEMENT EXECUTE FUNCTION incidents_forget_tiles();
"""
DROP = """
DROP TRIGGER incidents_calls_forgotten ON incidents_call; DROP FUNCTION incidents_forget_tiles();
DROP TRIGGER incidents_calls_erased ON incidents_call; DROP FUNCTION incidents_tell_erased();
DROP TRIGGER incidents_call_tiles ON incidents_call; DROP FUNCTION incidents_keep_tiles();
DROP FUNCTION incidents_uncount_call(incidents_call); DROP FUNCTION incidents_count_call(incidents_call);
DROP FUNCTION incidents_past_changed(bigint); DROP FUNCTION incidents_touch_tiles(bigint, bigint, bigint, int);
DROP FUNCTION incidents_month(timestamptz);
DROP FUNCTION incidents_parent(bigint, int);
"""
FILL = f"""
INSERT INTO incidents_callcount (agency_id, zoom, tile, cell, month, count)
SELECT agency_id, zoom, place >> (2 * (31 - zoom)), incidents_parent(cell, resolution), month, count(*) FROM (
    SELECT agency_id, place, cell, incidents_month(opened_at) AS month FROM incidents_call WHERE place IS NOT NULL
) call CROSS JOIN {LEVELS} GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;
INSERT INTO layers_tilehead (layer, agency_id, zoom, tile, rev, erased)
SELECT 'calls', agency_id, zoom, place >> (2 * (31 - zoom)), max(rev), 0 FROM incidents_call CROSS JOIN {HEADS}
WHERE place IS NOT NULL GROUP BY 2, 3, 4 ORDER BY 2, 3, 4;
"""
EMPTY = "TRUNCATE incidents_callcount; DELETE FROM layers_tilehead WHERE layer = 'calls'"
TUNE = """
ALTER TABLE incidents_callcount SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02)
"""
LOCATED = models.Q(("place__isnull", False))
OPEN = models.Q(("place__isnull", False), models.Q(("state", "closed"), _negated=True))


class Migration(migrations.Migration):
    dependencies = [("layers", "0004_tile_heads"), ("incidents", "0006_cells")]
    operations = [
        migrations.RunSQL(KEEP, DROP),
        migrations.RunSQL(FILL, EMPTY),
        migrations.RunSQL(TUNE, migrations.RunSQL.noop),
        migrations.AddIndex("call", models.Index(condition=LOCATED, fields=["agency", "place"], include=("cell", "opened_at"), name="call_by_place")),
        migrations.AddIndex("call", models.Index(condition=LOCATED, fields=["agency", "opened_at"], include=("place", "cell"), name="call_by_opening")),
        migrations.AddIndex("call", models.Index(condition=OPEN, fields=["agency", "place"], name="call_open_by_place")),
    ]
