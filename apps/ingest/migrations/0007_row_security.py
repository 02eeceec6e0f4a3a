"""A viewer reads what a source is called, and never its settings and keys."""

from django.db import migrations

from apps.layers.row_security import names_only


class Migration(migrations.Migration):
    dependencies = [("ingest", "0006_number_before_ids"), ("layers", "0003_reader")]
    operations = [
        names_only("ingest_source", "id, agency_id, slug, name, origin, interval_s"),
    ]
