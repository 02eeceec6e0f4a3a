"""Django admin of fences, with a plain form; every write is an operation."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.instance import read_instance
from apps.audit.site import Audited
from apps.geofences import operations
from apps.geofences.forms import FenceForm
from apps.geofences.models import Fence

FACTS = ("name", "area", "category", "active_from", "active_to")


@admin.register(Fence)
class FenceAdmin(Audited):
    """Removed fences are kept as history and not listed."""

    form = FenceForm
    audited_by_operations = True
    list_display = ("name", "agency", "shape", "category", "active_from", "active_to")
    list_filter = ("agency", "category")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fence]:
        return super().get_queryset(request).filter(removed_at=None)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().get_changeform_initial_data(request), "active_from": read_instance().clock.now()}

    def save_model(self, request: HttpRequest, obj: Fence, form: Any, change: bool) -> None:
        facts = {name: form.cleaned_data[name] for name in FACTS}
        at = read_instance().clock.now()
        if change:
            operations.change_fence(fence=obj, at=at, **facts)
        else:
            obj.pk = operations.make_fence(agency=form.cleaned_data["agency"], at=at, **facts).pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        operations.remove_fence(fence=obj, at=read_instance().clock.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Fence]) -> None:
        for fence in queryset:
            self.delete_model(request, fence)
