"""What runs: each process tells every few seconds that it lives and what it has counted."""

from django.db import models


class Process(models.Model):
    """One process of the instance. One that starts again takes its row over, and counts from zero."""

    kind = models.CharField(max_length=40, help_text="web, pipeline, pipeline:2, …")
    host = models.CharField(max_length=120)
    pid = models.IntegerField()
    started_at = models.DateTimeField()
    told_at = models.DateTimeField(help_text="when it said so last, by the database's clock")
    turned_at = models.DateTimeField(null=True, help_text="when its own work last went round; none where nothing goes round")
    counts = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "processes"
        constraints = [models.UniqueConstraint(fields=["kind", "host"], name="process_once")]

    def __str__(self) -> str:
        return f"{self.kind} on {self.host}"
