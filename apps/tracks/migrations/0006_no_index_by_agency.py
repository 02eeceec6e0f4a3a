"""Devices of an agency are found by an index only where their description changed: each new one paid for an entry that nobody needs."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tracks", "0005_position_without_unique")]
    operations = [
        migrations.AlterField(
            model_name="track",
            name="agency",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tracks",
                to="accounts.agency",
            ),
        ),
        migrations.AddIndex(
            model_name="track",
            index=models.Index(condition=models.Q(rev__gt=0), fields=["agency", "rev"], name="track_described_anew"),
        ),
    ]
