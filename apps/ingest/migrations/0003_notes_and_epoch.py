"""A post keeps sentences about what it carried; a changed source or key is known to every process by the grants' epoch."""

from django.db import migrations, models

TRIGGER = """
CREATE TRIGGER {table}_epoch AFTER INSERT OR DELETE OR UPDATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION accounts_bump_epoch();
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0002_queue"), ("accounts", "0002_grant_epoch")]
    operations = [
        migrations.AddField("post", "notes", models.JSONField(null=True, help_text="sentences about accepted observations, by place in the post")),
        *[
            migrations.RunSQL(TRIGGER.format(table=table), f"DROP TRIGGER {table}_epoch ON {table}")
            for table in ("ingest_source", "ingest_sourcekey")
        ],
    ]
