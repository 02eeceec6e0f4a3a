"""Districts and beats, each valid for a time."""

from django.contrib.gis.db import models


class Boundary(models.Model):
    agency = models.ForeignKey("accounts.Agency", models.CASCADE, related_name="boundaries")
    kind = models.CharField(max_length=24, help_text="district, beat, …")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120, blank=True)
    geom = models.MultiPolygonField()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)
    rev = models.BigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name_plural = "boundaries"
        constraints = [
            models.UniqueConstraint(fields=["agency", "kind", "code", "valid_from"], name="boundary_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"
