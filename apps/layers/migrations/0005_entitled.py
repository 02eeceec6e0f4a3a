"""Row security asks, as every read of rights does, whether a member's roles count: without a second factor they may not."""

from django.db import migrations

SEEN = """
CREATE OR REPLACE FUNCTION accounts_agencies_seen(wanted text) RETURNS bigint[] LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = public, pg_temp AS $$ BEGIN RETURN (
    SELECT coalesce(array_agg(DISTINCT given.agency_id), '{{}}')
    FROM accounts_member member
    JOIN accounts_membership ship ON ship.member_id = member.id
    JOIN accounts_grant given ON given.role = ship.role AND given.holder_id = ship.agency_id
    WHERE member.id = nullif(current_setting('rtcc.member', true), '')::bigint AND {counts}
        AND given.action = 'view' AND (wanted IS NULL OR given.layer = wanted)
); END $$
"""


class Migration(migrations.Migration):
    dependencies = [("layers", "0004_tile_heads"), ("accounts", "0012_entitled")]
    operations = [
        migrations.RunSQL(SEEN.format(counts="accounts_is_entitled(member.id)"), SEEN.format(counts="member.is_active"))
    ]
