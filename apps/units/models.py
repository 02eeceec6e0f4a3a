"""Call signs on duty, and which devices each has, from when to when."""

from django.db import models


class Unit(models.Model):
    agency = models.ForeignKey("accounts.Agency", models.CASCADE, related_name="units")
    call_sign = models.CharField(max_length=24)
    kind = models.CharField(max_length=24, default="patrol")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "call_sign"], name="call_sign_once")]

    def __str__(self) -> str:
        return self.call_sign


class Assignment(models.Model):
    """A device on a unit for a time. The end is open while it lasts."""

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="assignments")
    track = models.ForeignKey("tracks.Track", models.CASCADE, related_name="assignments")
    vehicle = models.CharField(max_length=40, blank=True)
    crew = models.JSONField(default=list, blank=True)
    shift = models.CharField(max_length=40, blank=True)
    beat = models.CharField(max_length=40, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["track"], condition=models.Q(ends_at=None), name="one_open_assignment_a_track"),
        ]
