"""Agencies that exist have long been given the defaults of the first four layers; an administrator may have withdrawn some."""

import django.db.models.deletion
from django.db import migrations, models

KNOWN = """
    INSERT INTO accounts_defaultsgiven (agency_id, layer)
    SELECT agency.id, layer FROM accounts_agency agency CROSS JOIN unnest(ARRAY['units', 'calls', 'fences', 'boundaries']) layer
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_epoch_row")]
    operations = [
        migrations.CreateModel(
            name="DefaultsGiven",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("layer", models.CharField(max_length=40)),
                (
                    "agency",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="defaults_given", to="accounts.agency"),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("agency", "layer"), name="defaults_given_once")]},
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
