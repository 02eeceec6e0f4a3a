"""Calls and what was said of them are shown by the grants of the layer calls."""

from django.db import migrations

from apps.layers.row_security import by_agency, through


class Migration(migrations.Migration):
    dependencies = [("incidents", "0002_standing"), ("layers", "0003_reader")]
    operations = [
        by_agency("incidents_call", layer="calls"),
        through("incidents_callrevision", column="call_id", parent="incidents_call", layer="calls"),
        through("incidents_callstanding", column="call_id", parent="incidents_call", layer="calls"),
    ]
