"""What each new device pays for and nobody needs: an index by shard, and comparing identities by the rules of a language."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tracks", "0003_agency_checked_once")]
    operations = [
        migrations.RemoveIndex(model_name="track", name="track_by_shard"),
        migrations.AlterField(model_name="track", name="identity", field=models.CharField(db_collation="C", max_length=120)),
    ]
