"""What the owners of shards leave for their successors."""

from django.db import models


class ShardState(models.Model):
    """Whether the last owner of a shard ended cleanly. Two unclean ends in a row: the rows are run one by one,
    and the one being tried is named here first, so that a row that kills its process is known and set aside."""

    shard = models.SmallIntegerField(primary_key=True)
    ended_cleanly = models.BooleanField(default=True)
    strikes = models.SmallIntegerField(default=0)
    trying_id = models.BigIntegerField(null=True)
    trying_index = models.IntegerField(null=True)
