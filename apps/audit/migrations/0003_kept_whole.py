"""Entries, seals, anchors and reviews are never changed, and only a purge that names itself deletes; each new entry waits for its seal.

A database's owner can switch triggers off: what was changed then is found by the chain.
"""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('audit_entry', 'audit_seal') AND current_setting('rtcc.audit_purge', true) = 'retention' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is only added to: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE FUNCTION audit_wait_for_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_unsealed (entry_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_entry_waits AFTER INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_wait_for_seal();
INSERT INTO audit_unsealed (entry_id) SELECT id FROM audit_entry;
ALTER TABLE audit_unsealed SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
"""
BACK = """
DROP TRIGGER audit_entry_waits ON audit_entry;
DROP FUNCTION audit_wait_for_seal();
DROP FUNCTION audit_refuse();
"""
KEEP = """
CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""
LET_GO = "DROP TRIGGER {table}_kept ON {table}; DROP TRIGGER {table}_not_emptied ON {table};"
KEPT = ("audit_entry", "audit_seal", "audit_anchor", "audit_review")


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_chain")]
    operations = [
        migrations.RunSQL(FUNCTIONS, BACK),
        *[migrations.RunSQL(KEEP.format(table=table), LET_GO.format(table=table)) for table in KEPT],
    ]
