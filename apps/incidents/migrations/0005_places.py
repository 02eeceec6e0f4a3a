"""A call has its place as an integer, in which a tile is a range (by trigger, so that no way of writing a call can forget it), and
its H3 cell, which only the server's code can compute.

A call that goes elsewhere and keeps its cell was moved by code that knows no cells: the cell is dropped, and given anew later.
"""

import django.db.models.deletion
from django.db import migrations, models

from apps.layers.row_security import by_agency

PLACE = """
CREATE FUNCTION incidents_spread(bits bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    bits := (bits | (bits << 16)) & 281470681808895;
    bits := (bits | (bits << 8)) & 71777214294589695;
    bits := (bits | (bits << 4)) & 1085102592571150095;
    bits := (bits | (bits << 2)) & 3689348814741910323;
    RETURN (bits | (bits << 1)) & 6148914691236517205;
END $$;
CREATE FUNCTION incidents_place(geom geometry) RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    side constant double precision := 2147483648;
    phi double precision := radians(least(85.0511287798066, greatest(-85.0511287798066, ST_Y(geom))));
    x bigint := floor((ST_X(geom) + 180) / 360 * side)::bigint & 2147483647;
    y bigint := floor((0.5 - asinh(tan(phi)) / (2 * pi())) * side)::bigint;
BEGIN
    RETURN incidents_spread(x) | (incidents_spread(least(2147483647, greatest(0, y))) << 1);
END $$;
CREATE FUNCTION incidents_give_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.place := CASE WHEN NEW.geom IS NOT NULL THEN incidents_place(NEW.geom) END;
    IF NEW.place IS NULL THEN
        NEW.cell := NULL;
    ELSIF TG_OP = 'UPDATE' AND NEW.cell = OLD.cell AND NEW.place >> 20 IS DISTINCT FROM OLD.place >> 20 AND OLD.place IS NOT NULL THEN
        NEW.cell := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_call_place BEFORE INSERT OR UPDATE OF geom, place, cell ON incidents_call
FOR EACH ROW EXECUTE FUNCTION incidents_give_place();
"""
DROP = """
DROP TRIGGER incidents_call_place ON incidents_call;
DROP FUNCTION incidents_give_place(); DROP FUNCTION incidents_place(geometry); DROP FUNCTION incidents_spread(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("incidents", "0004_calls_by_age"), ("layers", "0003_reader")]
    operations = [
        migrations.AddField("call", "place", models.BigIntegerField(editable=False, help_text="geo.tile_address.place_of its geometry; by trigger", null=True)),
        migrations.AddField("call", "cell", models.BigIntegerField(editable=False, help_text="geo.cells.cell_of its geometry", null=True)),
        migrations.RunSQL(PLACE, DROP),
        migrations.CreateModel(
            name="CallCount",
            fields=[
                ("pk", models.CompositePrimaryKey("agency_id", "zoom", "tile", "cell", "month", blank=True, editable=False, primary_key=True, serialize=False)),
                ("agency", models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to="accounts.agency")),
                ("zoom", models.SmallIntegerField()),
                ("tile", models.BigIntegerField()),
                ("cell", models.BigIntegerField()),
                ("month", models.DateField()),
                ("count", models.IntegerField()),
            ],
        ),
        migrations.AddIndex("call", models.Index(condition=models.Q(("cell", None), ("geom__isnull", False)), fields=["id"], name="call_without_cell")),
        by_agency("incidents_callcount", layer="calls"),
    ]
