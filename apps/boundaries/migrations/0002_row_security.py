"""Boundaries are shown with any layer of their agency: calls and units name those that they fall in."""

from django.db import migrations

from apps.layers.row_security import by_agency


class Migration(migrations.Migration):
    dependencies = [("boundaries", "0001_initial"), ("layers", "0003_reader")]
    operations = [
        by_agency("boundaries_boundary", layer=None),
    ]
