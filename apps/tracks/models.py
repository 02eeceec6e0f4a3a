"""Devices that move, each report of one, and the latest state of each.

The pipeline writes these tables with COPY and SQL; the models describe them to people's pages and queries.
"""

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField

from apps.accounts.models import Origin


class Track(models.Model):
    """A device that moves: (source, identity). `shard` is geo.shards.shard_of(f"{source_id}:{identity}").

    That agency and source exist is checked by triggers, once a statement: thousands of devices come in one COPY. There is no index
    by shard: an owner reads the tracks of half of all shards at once, or of all. By agency only those are found whose description
    changed after they were made (`rev`): who wants all of an agency's devices reads the table, as with their positions."""

    agency = models.ForeignKey("accounts.Agency", models.CASCADE, related_name="tracks", db_constraint=False, db_index=False)
    source_id = models.BigIntegerField(help_text="ingest_source; a foreign key in the database")
    identity = models.CharField(max_length=120, db_collation="C")
    name = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=24, default="car")
    origin = models.CharField(max_length=10, choices=Origin.choices)
    shard = models.PositiveSmallIntegerField()
    rev = models.BigIntegerField(default=0, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source_id", "identity"], name="track_identity_once")]
        indexes = [models.Index(fields=["agency", "rev"], condition=models.Q(rev__gt=0), name="track_described_anew")]

    def __str__(self) -> str:
        return self.name or self.identity


class Fix(models.Model):
    """One report of a track. Partitioned by day of `observed_at`; never overwritten."""

    pk = models.CompositePrimaryKey("track_id", "observed_at")
    track = models.ForeignKey(Track, models.DO_NOTHING, db_constraint=False, db_index=False)
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    geom = models.PointField(spatial_index=False)
    altitude_m = models.FloatField(null=True)
    speed_mps = models.FloatField(null=True)
    heading_deg = models.FloatField(null=True)
    accuracy_m = models.FloatField(null=True)
    status = models.SmallIntegerField(default=0)
    clock_offset_ms = models.IntegerField(default=0)

    class Meta:
        managed = False
        db_table = "tracks_fix"


class Position(models.Model):
    """The latest fix of a track, with the revision that published it. Its one index, by track, is not unique in the database: each
    track has one writer (docs/decisions/0018)."""

    track = models.OneToOneField(Track, models.CASCADE, primary_key=True, db_constraint=False)
    agency_id = models.BigIntegerField()
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    geom = models.PointField(spatial_index=False)
    altitude_m = models.FloatField(null=True)
    speed_mps = models.FloatField(null=True)
    heading_deg = models.FloatField(null=True)
    accuracy_m = models.FloatField(null=True)
    status = models.SmallIntegerField(default=0)
    clock_offset_ms = models.IntegerField(default=0)
    boundaries = ArrayField(models.BigIntegerField(), null=True, help_text="ids of the boundaries that it falls in")
    rev = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "tracks_position"
