"""Fences and who is in them are shown by the grants of the layer fences."""

from django.db import migrations

from apps.layers.row_security import by_agency, through


class Migration(migrations.Migration):
    dependencies = [("geofences", "0002_pipeline_writes_known_ids"), ("layers", "0003_reader")]
    operations = [
        by_agency("geofences_fence", layer="fences"),
        through("geofences_fencerevision", column="fence_id", parent="geofences_fence", layer="fences"),
        through("geofences_presence", column="fence_id", parent="geofences_fence", layer="fences"),
        through("geofences_transition", column="fence_id", parent="geofences_fence", layer="fences"),
    ]
