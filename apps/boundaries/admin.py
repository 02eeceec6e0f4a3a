"""Django admin of boundaries: to look at. Files are loaded with `manage.py load_boundaries`."""

from django.contrib import admin
from django.http import HttpRequest

from apps.boundaries.models import Boundary


@admin.register(Boundary)
class BoundaryAdmin(admin.ModelAdmin):
    list_display = ("kind", "code", "name", "agency", "valid_from", "valid_to")
    list_filter = ("agency", "kind")
    search_fields = ("code", "name")
    fields = ("agency", "kind", "code", "name", "valid_from", "valid_to")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Boundary | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Boundary | None = None) -> bool:
        return False
