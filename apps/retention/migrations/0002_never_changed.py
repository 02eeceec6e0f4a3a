"""Rules and proofs are never changed; only the member who made a rule may be forgotten with his account."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION retention_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'made_by_id' = to_jsonb(OLD) - 'made_by_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER retention_rule_unchanged BEFORE UPDATE OR DELETE ON retention_rule
FOR EACH ROW EXECUTE FUNCTION retention_refuse_change();
CREATE TRIGGER retention_proof_unchanged BEFORE UPDATE OR DELETE ON retention_proof
FOR EACH ROW EXECUTE FUNCTION retention_refuse_change();
"""
ALLOW = """
DROP TRIGGER retention_rule_unchanged ON retention_rule;
DROP TRIGGER retention_proof_unchanged ON retention_proof;
DROP FUNCTION retention_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("retention", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
