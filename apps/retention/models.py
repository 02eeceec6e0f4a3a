"""Rules, holds and their copies, and what was removed: numbers, never contents."""

from uuid import uuid4

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.db.models.functions import Now


class Rule(models.Model):
    """How long a class of data is kept, from a day on. Never changed: another rule is another row (a trigger refuses the rest)."""

    data_class = models.CharField(max_length=24)
    agency = models.ForeignKey("accounts.Agency", models.PROTECT, null=True, blank=True, help_text="none: every agency")
    keep = models.DurationField(null=True, help_text="none: the agency follows the rule of every agency again")
    legal_source = models.CharField(max_length=300)
    valid_from = models.DateTimeField()
    made_by = models.ForeignKey("accounts.Member", models.SET_NULL, null=True)
    made_by_name = models.CharField(max_length=254, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(agency__isnull=False) | models.Q(keep__isnull=False), name="general_rule_says_how_long"
            ),
            models.CheckConstraint(condition=~models.Q(legal_source=""), name="rule_has_its_source"),
        ]
        indexes = [models.Index(fields=["data_class", "agency", "-valid_from", "-id"], name="rule_in_force")]

    def __str__(self) -> str:
        return f"{self.data_class} from {self.valid_from:%Y-%m-%d}"


class Hold(models.Model):
    """What must be kept for a case. The rows that match are copied: no rule removes a copy, and nobody else sees it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    case_number = models.CharField(max_length=80)
    reason = models.CharField(max_length=300)
    agency = models.ForeignKey("accounts.Agency", models.PROTECT, related_name="holds")
    classes = ArrayField(models.CharField(max_length=24))
    starts_at = models.DateTimeField()
    ends_before = models.DateTimeField(null=True, blank=True, help_text="none: what comes is held too")
    identity = models.CharField(max_length=120, blank=True, help_text="a device, call sign or call number; empty: all")
    area = models.PolygonField(null=True, blank=True, spatial_index=False)
    asked_by = models.ForeignKey("accounts.Member", models.PROTECT, related_name="holds_asked")
    asked_at = models.DateTimeField()
    confirmed_by = models.ForeignKey("accounts.Member", models.PROTECT, null=True, related_name="holds_confirmed")
    confirmed_at = models.DateTimeField(null=True)
    hold_until = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    released_why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(confirmed_by=models.F("asked_by")), name="hold_has_a_second_person"),
        ]

    def __str__(self) -> str:
        return self.case_number


class HeldRow(models.Model):
    """A copy of one row as it was, with the SHA-256 of its text. Written with SQL."""

    hold = models.ForeignKey(Hold, models.CASCADE, related_name="rows", db_index=False)
    data_class = models.CharField(max_length=24)
    table = models.CharField(max_length=60)
    key = models.CharField(max_length=120)
    at = models.DateTimeField(null=True)
    row = models.JSONField()
    digest = models.CharField(max_length=64)
    copied_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hold", "table", "key"], name="held_once")]


class Tally(models.Model):
    """How many rows a day's removals took, counted in the transactions that took them."""

    day = models.DateField()
    generation = models.BigIntegerField()
    data_class = models.CharField(max_length=24)
    table = models.CharField(max_length=60)
    agency_id = models.BigIntegerField(help_text="0: of no agency")
    removed = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0, help_text="of the removed: copied for a hold when they went")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "generation", "data_class", "table", "agency_id"], name="tally_once"),
        ]


class Proof(models.Model):
    """One line of a day's proof. Never changed (a trigger refuses); its digest covers the line before it."""

    day = models.DateField()
    generation = models.BigIntegerField()
    data_class = models.CharField(max_length=24)
    table = models.CharField(max_length=60)
    agency_id = models.BigIntegerField(help_text="0: of no agency")
    rule_id = models.BigIntegerField(null=True, help_text="the rule in force when the day was closed")
    keep_s = models.BigIntegerField()
    removed = models.BigIntegerField()
    kept = models.BigIntegerField()
    oldest_kept_at = models.DateTimeField(null=True)
    overdue = models.BigIntegerField(help_text="rows older than their rule when the day was closed; 0 is right")
    held = models.BigIntegerField(help_text="rows copied for holds that are in force")
    process = models.CharField(max_length=80)
    counted_at = models.DateTimeField(help_text="instance time")
    written_at = models.DateTimeField(db_default=Now())
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "generation", "data_class", "table", "agency_id"], name="proof_once"),
        ]


class Turn(models.Model):
    """The one row that says when retention last looked, and whether it came to the end."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    began_at = models.DateTimeField(help_text="real time")
    ended_at = models.DateTimeField(help_text="real time")
    instance_at = models.DateTimeField()
    removed = models.BigIntegerField()
    finished = models.BooleanField(help_text="nothing older than its rule was left")
    finished_at = models.DateTimeField(null=True, help_text="real time of the last turn that came to the end")
    process = models.CharField(max_length=80)
