"""Configured inputs, what they sent, and what became of it. The queue tables are written with SQL."""

from django.db import models

from apps.accounts.models import Origin


class Source(models.Model):
    agency = models.ForeignKey("accounts.Agency", models.CASCADE, related_name="sources")
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    adapter = models.CharField(max_length=24)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    settings = models.JSONField(default=dict, blank=True, help_text="the adapter's: column mapping, poll address, …")
    interval_s = models.FloatField(default=10, help_text="how often a device or call of this source normally reports")
    enabled = models.BooleanField(default=True)
    observations_per_s = models.PositiveIntegerField(default=50_000, help_text="quota")

    def __str__(self) -> str:
        return self.name


class SourceKey(models.Model):
    """Ties one API key to one source."""

    key = models.OneToOneField("accounts.ApiKey", models.CASCADE, primary_key=True, related_name="source_key")
    source = models.ForeignKey(Source, models.CASCADE, related_name="keys")


class SourceHealth(models.Model):
    source = models.OneToOneField(Source, models.CASCADE, primary_key=True, related_name="health")
    last_message_at = models.DateTimeField(null=True)
    messages = models.BigIntegerField(default=0)
    observations = models.BigIntegerField(default=0)
    rejects = models.BigIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    last_error_at = models.DateTimeField(null=True)
    clock_offset_ms = models.IntegerField(null=True)


class OutboundUse(models.Model):
    """An address that an administrator entered and the server calls, with its last use."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="outbound")
    address = models.CharField(max_length=300, help_text="scheme, host and port")
    last_used_at = models.DateTimeField()
    last_result = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "address"], name="outbound_once")]

    def __str__(self) -> str:
        return self.address


class Post(models.Model):
    """One message as it came. Its id is the receipt."""

    id = models.UUIDField(primary_key=True)
    source = models.ForeignKey(Source, models.CASCADE, db_index=False, db_constraint=False)
    received_at = models.DateTimeField()
    content_type = models.CharField(max_length=80, blank=True)
    raw = models.BinaryField()
    accepted = models.IntegerField()
    rejected = models.IntegerField()
    first_inbound = models.BigIntegerField(null=True)
    last_inbound = models.BigIntegerField(null=True)
    notes = models.JSONField(null=True, help_text="sentences about accepted observations, by place in the post")

    class Meta:
        indexes = [models.Index(fields=["received_at"], name="post_by_time")]


class Inbound(models.Model):
    """The queue: what is accepted and not yet processed, cut by shard."""

    pk = models.CompositePrimaryKey("shard", "id")
    shard = models.SmallIntegerField()
    id = models.BigIntegerField()
    source_id = models.BigIntegerField()
    post_id = models.UUIDField()
    received_us = models.BigIntegerField()
    queued_at = models.DateTimeField()
    count = models.IntegerField()
    parcel = models.BinaryField()

    class Meta:
        managed = False
        db_table = "ingest_inbound"


class Reject(models.Model):
    """Bad input, kept with its reason. A quarantined part may be right (a fix from the future); it is never the latest."""

    post_id = models.UUIDField(null=True)
    source = models.ForeignKey(Source, models.CASCADE, null=True)
    index = models.IntegerField(null=True, help_text="place in the post; none when the whole post was unreadable")
    reason = models.CharField(max_length=24)
    detail = models.TextField(blank=True)
    part = models.BinaryField()
    quarantined = models.BooleanField(default=False)
    received_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["post_id"], name="reject_by_post"), models.Index(fields=["received_at"], name="reject_by_time")]


class Outcome(models.Model):
    """What became of an accepted observation that was not plainly stored as the newest."""

    pk = models.CompositePrimaryKey("post_id", "index")
    post_id = models.UUIDField()
    index = models.IntegerField()
    outcome = models.CharField(max_length=12)
    detail = models.TextField(blank=True)
