"""Units and who holds them are shown by the grants of the layer units."""

from django.db import migrations

from apps.layers.row_security import by_agency, through


class Migration(migrations.Migration):
    dependencies = [("units", "0001_initial"), ("layers", "0003_reader")]
    operations = [
        by_agency("units_unit", layer="units"),
        through("units_assignment", column="unit_id", parent="units_unit", layer="units"),
    ]
