"""When each open statement can have stood: filled from the revisions there are, then kept by trigger.

The trigger comes first, since its lock keeps writers out until all is filled and committed.
"""

import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

KEEP = """
CREATE FUNCTION incidents_keep_standing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz := least(NEW.observed_at, NEW.recorded_at);
    settled timestamptz := greatest(NEW.observed_at, NEW.recorded_at);
BEGIN
    UPDATE incidents_callstanding SET during = tstzrange(lower(during), greatest(lower(during), settled))
    WHERE call_id = NEW.call_id AND sequence < NEW.sequence AND upper_inf(during);
    IF NEW.state <> 'closed' THEN
        SELECT min(greatest(observed_at, recorded_at)) INTO settled
        FROM incidents_callrevision WHERE call_id = NEW.call_id AND sequence > NEW.sequence;
        INSERT INTO incidents_callstanding (revision_id, call_id, sequence, during)
        VALUES (NEW.id, NEW.call_id, NEW.sequence, tstzrange(first, CASE WHEN settled IS NOT NULL THEN greatest(first, settled) END));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_callrevision_standing AFTER INSERT ON incidents_callrevision
FOR EACH ROW EXECUTE FUNCTION incidents_keep_standing();
"""
DROP = "DROP TRIGGER incidents_callrevision_standing ON incidents_callrevision; DROP FUNCTION incidents_keep_standing();"
REFUSE = """
CREATE FUNCTION incidents_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a statement about a call is never changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER incidents_callrevision_unchanged BEFORE UPDATE ON incidents_callrevision
FOR EACH ROW EXECUTE FUNCTION incidents_refuse_change();
"""
ALLOW = "DROP TRIGGER incidents_callrevision_unchanged ON incidents_callrevision; DROP FUNCTION incidents_refuse_change();"
FILL = """
INSERT INTO incidents_callstanding (revision_id, call_id, sequence, during)
SELECT id, call_id, sequence, tstzrange(first, CASE WHEN settled IS NOT NULL THEN greatest(first, settled) END)
FROM (
    SELECT id, call_id, sequence, state, least(observed_at, recorded_at) AS first, min(greatest(observed_at, recorded_at)) OVER (
        PARTITION BY call_id ORDER BY sequence DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS settled
    FROM incidents_callrevision
) said WHERE state <> 'closed'
"""
# A row is written twice in its life: begun, then ended. Ended rows are what the index is searched for.
TUNE = """
ALTER TABLE incidents_callstanding SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0
)
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="CallStanding",
            fields=[
                (
                    "revision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="incidents.callrevision",
                    ),
                ),
                ("call_id", models.BigIntegerField()),
                ("sequence", models.BigIntegerField()),
                ("during", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
            ],
        ),
        migrations.RunSQL(KEEP, DROP),
        migrations.RunSQL(REFUSE, ALLOW),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="callstanding",
            index=django.contrib.postgres.indexes.GistIndex(fields=["during"], name="call_standing_during"),
        ),
        migrations.AddIndex(
            model_name="callstanding",
            index=models.Index(
                condition=models.Q(("during__upper_inf", True)), fields=["call_id"], name="call_standing_unended"
            ),
        ),
        migrations.RunSQL(TUNE, migrations.RunSQL.noop),
        migrations.RunSQL("ANALYZE incidents_callstanding", migrations.RunSQL.noop),
    ]
