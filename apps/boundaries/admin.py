"""Django admin of boundaries: to look at. Files are loaded with `manage.py load_boundaries`."""

from django.contrib import admin

from apps.accounts.admin import ReadOnly
from apps.boundaries.models import Boundary


@admin.register(Boundary)
class BoundaryAdmin(ReadOnly):
    list_display = ("kind", "code", "name", "agency", "valid_from", "valid_to")
    list_filter = ("agency", "kind")
    search_fields = ("code", "name")
    fields = ("agency", "kind", "code", "name", "valid_from", "valid_to")
