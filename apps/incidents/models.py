"""Calls for service: the latest state of each, and every revision that led to it."""

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.contrib.postgres.indexes import GistIndex

from apps.accounts.models import Origin

LOCATED = models.Q(place__isnull=False)


class CallState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    ACTIVE = "active", "Active"
    CLOSED = "closed", "Closed"


class CallFacts(models.Model):
    """What a source said of a call at a time. A call without a usable place has no geometry: it is unlocated."""

    sequence = models.BigIntegerField(help_text="the CAD's own, else microseconds since 1970 of observed_at")
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=CallState.choices)
    type = models.CharField(max_length=160, blank=True)
    priority = models.CharField(max_length=16, blank=True)
    rank = models.PositiveSmallIntegerField(default=9)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=300, blank=True)
    cross_streets = models.CharField(max_length=300, blank=True)
    units = models.JSONField(default=list)
    narrative = models.TextField(blank=True)
    geom = models.PointField(null=True, spatial_index=False)
    uncertainty_m = models.FloatField(null=True)
    boundaries = ArrayField(models.BigIntegerField(), null=True, help_text="ids of the boundaries that it falls in")

    class Meta:
        abstract = True


class Call(CallFacts):
    """The newest known state of a call. `shard` is geo.shards.shard_of(f"{source_id}:{number}")."""

    agency = models.ForeignKey("accounts.Agency", models.CASCADE, related_name="calls")
    source_id = models.BigIntegerField(help_text="ingest_source; a foreign key in the database")
    number = models.CharField(max_length=80)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    shard = models.PositiveSmallIntegerField()
    rev = models.BigIntegerField(editable=False)
    place = models.BigIntegerField(null=True, editable=False, help_text="geo.tile_address.place_of its geometry; by trigger")
    cell = models.BigIntegerField(null=True, editable=False, help_text="geo.cells.cell_of its geometry")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source_id", "number"], name="call_number_once")]
        indexes = [
            models.Index(fields=["agency", "place"], include=["cell", "opened_at"], condition=LOCATED, name="call_by_place"),
            models.Index(fields=["agency", "opened_at"], include=["place", "cell"], condition=LOCATED, name="call_by_opening"),
            models.Index(fields=["agency", "place"], condition=LOCATED & ~models.Q(state="closed"), name="call_open_by_place"),
            models.Index(fields=["id"], condition=models.Q(cell=None, geom__isnull=False), name="call_without_cell"),
            models.Index(fields=["agency", "rev"], name="call_by_rev"),
            models.Index(fields=["source_id", "shard"], condition=~models.Q(state="closed"), name="call_open_by_shard"),
            models.Index(fields=["agency"], condition=~models.Q(state="closed"), name="call_open"),
            models.Index(fields=["closed_at"], condition=models.Q(state="closed"), name="call_by_age"),
        ]

    def __str__(self) -> str:
        return self.number


class CallRevision(CallFacts):
    """One dated statement about a call; never overwritten."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="revisions", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "sequence"], name="call_sequence_once")]
        indexes = [models.Index(fields=["observed_at"], name="call_revision_by_time")]


class CallCount(models.Model):
    """How many calls that were opened in a month lie in a tile and an H3 cell; derived, kept by trigger (docs/decisions/0023).

    `tile` is the tile's key at `zoom`; `cell` has that zoom's resolution, 0 where a call's cell is not known yet. `month`: UTC."""

    pk = models.CompositePrimaryKey("agency_id", "zoom", "tile", "cell", "month")
    agency = models.ForeignKey("accounts.Agency", models.DO_NOTHING, db_index=False, db_constraint=False)
    zoom = models.SmallIntegerField()
    tile = models.BigIntegerField()
    cell = models.BigIntegerField()
    month = models.DateField()
    count = models.IntegerField()


class CallStanding(models.Model):
    """When a statement that leaves its call open can have been the one that stands; derived, kept by trigger.

    `during` begins when the statement was observed or recorded, whichever came first, and ends when one of a higher sequence was
    both. Outside of it the statement certainly did not stand at min(at, known); inside, the exact rule decides (see queries).
    """

    revision = models.OneToOneField(CallRevision, models.CASCADE, primary_key=True)
    call_id = models.BigIntegerField()
    sequence = models.BigIntegerField()
    during = DateTimeRangeField()

    class Meta:
        indexes = [
            GistIndex(fields=["during"], name="call_standing_during"),
            models.Index(fields=["call_id"], condition=models.Q(during__upper_inf=True), name="call_standing_unended"),
        ]
