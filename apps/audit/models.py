"""Who saw or did what, and why. Rows are written in the act's own transaction and never changed; a chain of seals says so."""

from django.db import models
from django.db.models.functions import Now


class Entry(models.Model):
    """One act. It names its member and agency without a foreign key: it outlives both. What concerns several agencies has none of
    its own and lists them in detail["agencies"]."""

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


class Unsealed(models.Model):
    """An entry that waits for its seal. A trigger puts it here in the entry's own transaction, so none is overlooked, however late it
    commits."""

    entry_id = models.BigIntegerField(primary_key=True)


class Seal(models.Model):
    """A link of the chain: `digest` is the SHA-256 of the digest before it and the entry's canonical line (see chain)."""

    sequence = models.BigIntegerField(primary_key=True)
    entry_id = models.BigIntegerField(unique=True)
    digest = models.BinaryField(max_length=32)


class Anchor(models.Model):
    """Where the chain begins since a purge: the last link that was removed, signed with the key of the heads."""

    sequence = models.BigIntegerField(primary_key=True)
    digest = models.BinaryField(max_length=32)
    removed = models.BigIntegerField(help_text="entries that the purge removed")
    at = models.DateTimeField()
    signature = models.BinaryField(max_length=64)


class ChainState(models.Model):
    """What `watch` knows of the chain; the one row that changes."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    sealed_at = models.DateTimeField(null=True, help_text="when the sealer last looked")
    checked_at = models.DateTimeField(null=True, help_text="when the whole chain was last gone through")
    checked = models.BigIntegerField(default=0, help_text="entries that were gone through then")
    round_s = models.FloatField(null=True, help_text="how long that took")
    head_at = models.DateTimeField(null=True, help_text="when a signed head was last written off the database")
    problems = models.JSONField(default=list, help_text="sentences; empty while the chain is whole")


class Refusal(models.Model):
    """How often a member was refused at one target within one minute. The first is an entry at once, the rest one more when the minute
    has ended, so that a scanner cannot flood the audit."""

    pk = models.CompositePrimaryKey("member_id", "minute", "target")
    member_id = models.BigIntegerField()
    minute = models.DateTimeField()
    target = models.CharField(max_length=200)
    member_name = models.CharField(max_length=254)
    address = models.GenericIPAddressField(null=True)
    road = models.CharField(max_length=12)
    count = models.BigIntegerField()


class Review(models.Model):
    """A member has looked at a week's entries of an agency (none: of the whole instance) and signs that it was so."""

    week = models.DateField(help_text="the Monday it begins with")
    agency_id = models.BigIntegerField(null=True)
    by_id = models.BigIntegerField()
    by_name = models.CharField(max_length=254)
    at = models.DateTimeField()
    note = models.CharField(max_length=1000, blank=True)

    class Meta:
        indexes = [models.Index(fields=["agency_id", "week"], name="review_by_week")]

    def __str__(self) -> str:
        return f"week of {self.week}"
