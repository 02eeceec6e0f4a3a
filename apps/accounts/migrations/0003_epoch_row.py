"""The trigger makes the epoch's row when it is missing: a database whose tables were emptied still counts."""

from django.db import migrations

BUMP = """
CREATE OR REPLACE FUNCTION accounts_bump_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_grantepoch (id, epoch) VALUES (1, 2)
    ON CONFLICT (id) DO UPDATE SET epoch = accounts_grantepoch.epoch + 1;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_grant_epoch")]
    operations = [migrations.RunSQL(BUMP, migrations.RunSQL.noop)]
