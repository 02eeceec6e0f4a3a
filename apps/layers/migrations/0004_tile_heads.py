"""What changed last in each tile. Rows are updated with every change of a call: keep them in few pages and vacuumed."""

import django.db.models.deletion
from django.db import migrations, models

from apps.layers.row_security import by_agency


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("layers", "0003_reader")]
    operations = [
        migrations.CreateModel(
            name="TileHead",
            fields=[
                ("pk", models.CompositePrimaryKey("layer", "agency_id", "zoom", "tile", blank=True, editable=False, primary_key=True, serialize=False)),
                ("layer", models.CharField(max_length=40)),
                ("agency", models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to="accounts.agency")),
                ("zoom", models.SmallIntegerField()),
                ("tile", models.BigIntegerField()),
                ("rev", models.BigIntegerField(default=0)),
                ("erased", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.RunSQL(
            """ALTER TABLE layers_tilehead SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
               autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)""",
            "ALTER TABLE layers_tilehead RESET (fillfactor)",
        ),
        by_agency("layers_tilehead", layer=None),
    ]
