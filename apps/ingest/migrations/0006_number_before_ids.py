"""Whoever writes to the queue has a transaction number before its rows have ids.

PostgreSQL gives a transaction its number when it first writes: after the ids of its first rows were drawn. In this order, who takes
rows off the queue knows from the numbers that still run whether a row may yet appear below those that are taken.
"""

from django.db import migrations

NUMBER = """
CREATE FUNCTION ingest_number_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_current_xact_id();
    RETURN NULL;
END $$;
CREATE TRIGGER ingest_inbound_number_before_ids BEFORE INSERT ON ingest_inbound
FOR EACH STATEMENT EXECUTE FUNCTION ingest_number_transaction();
"""
DROP = """
DROP TRIGGER ingest_inbound_number_before_ids ON ingest_inbound;
DROP FUNCTION ingest_number_transaction();
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0005_sources_checked_once")]
    operations = [migrations.RunSQL(NUMBER, DROP)]
