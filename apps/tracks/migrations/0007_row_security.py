"""Devices, their fixes and positions are shown by the grants of the layer units."""

from django.db import migrations

from apps.layers.row_security import by_agency, through


class Migration(migrations.Migration):
    dependencies = [("tracks", "0006_no_index_by_agency"), ("layers", "0003_reader")]
    operations = [
        by_agency("tracks_track", layer="units"),
        by_agency("tracks_position", layer="units"),
        through("tracks_fix", column="track_id", parent="tracks_track", layer="units"),
    ]
