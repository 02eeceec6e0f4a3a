"""The role that reads for viewers, whose rows it sees, and the functions that indexes may be searched with under row security."""

from django.db import migrations

from apps.layers.row_security import by_agency, names_only

# Roles belong to the whole cluster: another database of it may have made this one, or be making it now.
ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rtcc_reader') THEN
        CREATE ROLE rtcc_reader NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, 'rtcc_reader', 'MEMBER') THEN
        EXECUTE format('GRANT rtcc_reader TO %I', current_user);
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'this user of the database may not make the role that reads for viewers'
            USING ERRCODE = 'insufficient_privilege',
                HINT = format('let a superuser run: CREATE ROLE rtcc_reader NOLOGIN; GRANT rtcc_reader TO %I', current_user);
END $$
"""
# As accounts.viewer.RIGHTS; by the owner's rights, since the reader may not read members and grants. PL/pgSQL keeps the plan: asked
# for the first time in a session they take 1 ms, then 0.05 ms.
AGENCIES = """
CREATE FUNCTION accounts_agencies_seen(wanted text) RETURNS bigint[] LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = public, pg_temp AS $$ BEGIN RETURN (
    SELECT coalesce(array_agg(DISTINCT given.agency_id), '{}')
    FROM accounts_member member
    JOIN accounts_membership ship ON ship.member_id = member.id
    JOIN accounts_grant given ON given.role = ship.role AND given.holder_id = ship.agency_id
    WHERE member.id = nullif(current_setting('rtcc.member', true), '')::bigint AND member.is_active
        AND given.action = 'view' AND (wanted IS NULL OR given.layer = wanted)
); END $$;
CREATE FUNCTION accounts_sees_all(wanted text) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = public, pg_temp AS $$ BEGIN
    RETURN NOT EXISTS (SELECT FROM accounts_agency WHERE id <> ALL (accounts_agencies_seen(wanted)));
END $$;
REVOKE ALL ON FUNCTION accounts_agencies_seen, accounts_sees_all FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts_agencies_seen, accounts_sees_all TO rtcc_reader;
"""
# Under row security an index is searched only with operators that cannot tell of a row that is not shown. These compare boxes and
# bounds and raise nothing about what they compare. Only a superuser may say so; without it reads are right, and slow: see doctor.
LEAKPROOF = """
DO $$ BEGIN
    ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF;
    ALTER FUNCTION range_contains_elem(anyrange, anyelement) LEAKPROOF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'only a superuser may mark functions as leakproof: reads under row security will not use spatial indexes';
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("layers", "0002_hot_table"), ("accounts", "0002_grant_epoch")]
    operations = [
        migrations.RunSQL(ROLE, migrations.RunSQL.noop),
        migrations.RunSQL(AGENCIES, "DROP FUNCTION accounts_sees_all(text), accounts_agencies_seen(text)"),
        migrations.RunSQL(LEAKPROOF, migrations.RunSQL.noop),
        names_only("accounts_agency", "id, slug, name, time_zone"),
        names_only("accounts_statuscode", "id, agency_id, number, code, label, letter, meaning"),
        names_only("accounts_prioritycode", "id, agency_id, code, label, rank"),
        by_agency("layers_layerrevision", layer=None),
        by_agency("layers_tombstone", layer=None),
    ]
