"""Areas, who is in them, and who went in or out."""

from django.contrib.gis.db import models
from django.contrib.postgres.indexes import BrinIndex


class FenceShape(models.TextChoices):
    POLYGON = "polygon", "Polygon"
    CIRCLE = "circle", "Circle"


class FenceFacts(models.Model):
    name = models.CharField(max_length=120)
    category = models.CharField(max_length=40, blank=True)
    shape = models.CharField(max_length=8, choices=FenceShape.choices)
    geom = models.MultiPolygonField(help_text="of a circle: its outline, for drawing")
    center = models.PointField(null=True, blank=True, spatial_index=False)
    radius_m = models.FloatField(null=True, blank=True)
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Fence(FenceFacts):
    agency = models.ForeignKey("accounts.Agency", models.CASCADE, related_name="fences")
    removed_at = models.DateTimeField(null=True, blank=True)
    rev = models.BigIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(shape="polygon") | models.Q(center__isnull=False, radius_m__gt=0), name="circle_has_center_and_radius"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FenceRevision(FenceFacts):
    """What a fence was from `recorded_at` on; never overwritten."""

    fence = models.ForeignKey(Fence, models.CASCADE, related_name="revisions", db_index=False)
    recorded_at = models.DateTimeField()
    removed = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["fence", "recorded_at", "id"], name="fence_revision_newest")]


class Presence(models.Model):
    """A track that is inside a fence now, since its entry fix. With the track and fence that is the episode's identity.

    Written by the pipeline alone, from ids that it holds: the database checks no foreign keys here (four checks a crossing)."""

    pk = models.CompositePrimaryKey("track_id", "fence_id")
    track = models.ForeignKey("tracks.Track", models.CASCADE, db_index=False, db_constraint=False)
    fence = models.ForeignKey(Fence, models.CASCADE, db_constraint=False)
    entered_at = models.DateTimeField()


class TransitionKind(models.TextChoices):
    ENTER = "enter", "Enter"
    EXIT = "exit", "Exit"


class Transition(models.Model):
    """A track went into or out of a fence, at the fix that shows it."""

    track = models.ForeignKey("tracks.Track", models.CASCADE, db_index=False, db_constraint=False)
    fence = models.ForeignKey(Fence, models.CASCADE, db_constraint=False)
    kind = models.CharField(max_length=8, choices=TransitionKind.choices)
    entered_at = models.DateTimeField(help_text="entry fix of the episode")
    observed_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["track", "fence", "kind", "observed_at"], name="transition_once")]
        indexes = [BrinIndex(fields=["observed_at"], autosummarize=True, name="transition_by_age")]
