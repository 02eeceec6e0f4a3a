import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_defaults_given")]
    operations = [
        migrations.CreateModel(
            name="SignInAttempts",
            fields=[
                ("name", models.CharField(max_length=254, primary_key=True, serialize=False)),
                ("failed_at", django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), size=None)),
                ("last_at", models.DateTimeField(db_index=True)),
                ("locked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={"verbose_name": "locked name"},
        ),
    ]
