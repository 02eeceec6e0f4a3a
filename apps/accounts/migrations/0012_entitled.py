"""Who has any role: one function, which every read of rights asks. Sessions move to the table that knows whose they are."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

GRACE = timedelta(days=7)
# In an operational instance a member needs a second factor: their own, or that of an issuer which is their only way in.
ENTITLED = """
CREATE FUNCTION accounts_is_entitled(asked bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM accounts_member member
        WHERE member.id = asked AND member.is_active AND (
            NOT EXISTS (SELECT FROM accounts_instance WHERE kind = 'operational')
            OR EXISTS (SELECT FROM mfa_authenticator own WHERE own.user_id = member.id AND own.type IN ('totp', 'webauthn'))
            OR EXISTS (SELECT FROM accounts_breakglass sealed WHERE sealed.member_id = member.id)
            OR member.second_factor_due > now()
            OR member.password LIKE '!%' AND EXISTS (
                SELECT FROM socialaccount_socialaccount known
                JOIN accounts_issuer issuer ON issuer.slug = known.provider AND issuer.is_active AND issuer.enforces_second_factor
                WHERE known.user_id = member.id
            )
        )
    )
$$
"""
TRIGGER = """
CREATE TRIGGER {table}_epoch AFTER INSERT OR DELETE OR UPDATE{columns} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION accounts_bump_epoch();
"""
WATCHED = {
    "mfa_authenticator": " OF type, user_id",
    "accounts_breakglass": " OF member_id",
    "accounts_issuer": " OF slug, is_active, enforces_second_factor",
    "socialaccount_socialaccount": " OF provider, user_id",
}


def move_sessions(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Who is signed in stays so until 12 hours after the sign-in, which Django dated by the day on which a session ends."""
    database = editor.connection.alias
    members = set(apps.get_model("accounts", "Member").objects.using(database).values_list("pk", flat=True))
    for old in apps.get_model("sessions", "Session").objects.using(database).filter(expire_date__gt=datetime.now(UTC)):
        data = SessionStore().decode(old.session_data)
        member = int(data.get("_auth_user_id", 0))
        begun_at = old.expire_date - timedelta(seconds=settings.SESSION_COOKIE_AGE)
        if member in members and begun_at + timedelta(hours=12) > datetime.now(UTC):
            data["sign_in"] = {"at": begun_at.timestamp(), "how": "", "address": None, "agent": ""}
            apps.get_model("accounts", "MemberSession").objects.using(database).create(
                session_key=old.session_key, session_data=SessionStore().encode(data), expire_date=begun_at + timedelta(hours=12),
                member_id=member, begun_at=begun_at, seen_at=begun_at,
            )


def give_grace(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Nobody who is on duty during the upgrade is sent off the map by it."""
    members = apps.get_model("accounts", "Member").objects.using(editor.connection.alias)
    members.update(second_factor_due=datetime.now(UTC) + GRACE)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_sign_in_that_holds"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
        ("sessions", "0001_initial"),
    ]
    operations = [
        migrations.RunPython(give_grace, migrations.RunPython.noop),
        migrations.RunPython(move_sessions, migrations.RunPython.noop),
        migrations.RunSQL(ENTITLED, "DROP FUNCTION accounts_is_entitled(bigint)"),
        *[
            migrations.RunSQL(TRIGGER.format(table=table, columns=columns), f"DROP TRIGGER {table}_epoch ON {table}")
            for table, columns in WATCHED.items()
        ],
    ]
