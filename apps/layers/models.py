"""Revisions of layers and of their parts, and tombstones of what was removed from them."""

from django.db import models


class LayerRevision(models.Model):
    """The commit-ordered change number of one layer of one agency. Locked last, in order (layer, agency)."""

    pk = models.CompositePrimaryKey("layer", "agency_id")
    layer = models.CharField(max_length=40)
    agency = models.ForeignKey("accounts.Agency", models.CASCADE, db_index=False)
    rev = models.BigIntegerField(default=0)


class TileHead(models.Model):
    """The highest revision that changed what lies in a tile of one layer of one agency, and how often rows were erased from it.

    `tile` is the tile's key at `zoom` (geo.tile_address). Kept by triggers of the tables that hold the layer's places."""

    pk = models.CompositePrimaryKey("layer", "agency_id", "zoom", "tile")
    layer = models.CharField(max_length=40)
    agency = models.ForeignKey("accounts.Agency", models.DO_NOTHING, db_index=False, db_constraint=False)
    zoom = models.SmallIntegerField()
    tile = models.BigIntegerField()
    rev = models.BigIntegerField(default=0)
    erased = models.BigIntegerField(default=0)


class Tombstone(models.Model):
    """A feature that left a layer at a revision; kept for a day so that a replica can catch up."""

    layer = models.CharField(max_length=40)
    agency = models.ForeignKey("accounts.Agency", models.CASCADE, db_index=False)
    feature_id = models.BigIntegerField()
    rev = models.BigIntegerField()
    removed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["layer", "agency", "rev"], name="tombstone_by_rev")]
