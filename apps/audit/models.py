"""Who saw or did what, and why. Rows are written in the act's own transaction and never changed."""

from django.db import models
from django.db.models.functions import Now


class Entry(models.Model):
    """One act. It names its member and agency without a foreign key: it outlives both."""

    written_at = models.DateTimeField(db_default=Now(), editable=False)
    act = models.CharField(max_length=40, help_text="a word such as sign_in, grant_given, layer_read")
    member_id = models.BigIntegerField(null=True)
    member_name = models.CharField(max_length=254, blank=True, help_text="the name that was used, where no member is known")
    agency_id = models.BigIntegerField(null=True)
    road = models.CharField(max_length=12, help_text="page, api, socket, key, command or process")
    address = models.GenericIPAddressField(null=True)
    target = models.CharField(max_length=200, blank=True, help_text="what it was done to, such as layer:units or member:12")
    count = models.BigIntegerField(null=True, help_text="how many rows were seen or changed")
    reason = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["written_at"], name="audit_by_time"),
            models.Index(fields=["member_id", "written_at"], name="audit_by_member"),
        ]

    def __str__(self) -> str:
        return f"{self.written_at:%Y-%m-%d %H:%M:%S} {self.act}"
