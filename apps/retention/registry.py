"""The data classes that this server has, as the settings name them."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from apps.retention.definition import DataClass, Kept


@cache
def classes() -> dict[str, DataClass]:
    """Return the classes by name, in the catalog's order: that of removal."""
    return {one.name: one for one in import_string(settings.DATA_CLASSES)}


def kept() -> tuple[Kept, ...]:
    """Return the tables with times that no rule removes."""
    return tuple(import_string(settings.NOT_REMOVED_BY_AGE))
