"""The catalog of layers that this server has, as the settings name it."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from apps.layers.definition import Layer


@cache
def catalog() -> dict[str, Layer]:
    """Return the layers by name, in the catalog's order."""
    return {layer.name: layer for layer in import_string(settings.LAYER_CATALOG)}


def names() -> tuple[str, ...]:
    return tuple(catalog())
