"""The revision rows are updated with every batch: keep them in one page and vacuumed."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("layers", "0001_initial")]
    operations = [
        migrations.RunSQL(
            """ALTER TABLE layers_layerrevision SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
               autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)""",
            "ALTER TABLE layers_layerrevision RESET (fillfactor)",
        ),
    ]
