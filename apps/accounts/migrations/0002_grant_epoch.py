"""The grants' epoch grows by trigger, so that no way of changing a grant can forget it."""

from django.db import migrations

BUMP = """
CREATE FUNCTION accounts_bump_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts_grantepoch SET epoch = epoch + 1 WHERE id = 1;
    RETURN NULL;
END $$;
INSERT INTO accounts_grantepoch (id, epoch) VALUES (1, 1);
"""
TRIGGER = """
CREATE TRIGGER {table}_epoch AFTER INSERT OR DELETE OR UPDATE{columns} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION accounts_bump_epoch();
"""
WATCHED = {
    "accounts_grant": "",
    "accounts_membership": "",
    "accounts_apikey": "",
    "accounts_agency": "",
    "accounts_member": " OF is_active, is_superuser, password",
}


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.RunSQL(BUMP, "DROP FUNCTION accounts_bump_epoch(); DELETE FROM accounts_grantepoch;"),
        *[
            migrations.RunSQL(TRIGGER.format(table=table, columns=columns), f"DROP TRIGGER {table}_epoch ON {table}")
            for table, columns in WATCHED.items()
        ],
    ]
