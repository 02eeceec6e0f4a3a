"""A viewer reads what a source is called, and never its settings and keys."""

from django.db import migrations

from apps.layers.row_security import by_agency


class Migration(migrations.Migration):
    dependencies = [("ingest", "0006_number_before_ids"), ("layers", "0003_reader")]
    operations = [
        by_agency("ingest_source", layer=None, columns="id, agency_id, slug, name, origin, interval_s"),
    ]
