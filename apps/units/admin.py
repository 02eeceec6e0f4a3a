"""Django admin of call signs and their devices. Assignments are made and ended by operations, never edited."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.instance import read_instance
from apps.audit.site import Audited
from apps.units import operations
from apps.units.models import Assignment, Unit


@admin.register(Unit)
class UnitAdmin(Audited):
    list_display = ("call_sign", "agency", "kind")
    list_filter = ("agency",)
    search_fields = ("call_sign",)

    def has_change_permission(self, request: HttpRequest, obj: Unit | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Unit | None = None) -> bool:
        return False


class AssignmentForm(forms.ModelForm):
    class Meta:
        model = Assignment
        fields = ["unit", "track", "vehicle", "shift", "beat"]

    def clean(self) -> dict[str, Any] | None:
        facts = super().clean() or {}
        unit, track = facts.get("unit"), facts.get("track")
        if unit and track and unit.agency_id != track.agency_id:
            raise forms.ValidationError("The device belongs to another agency than the unit.")
        return facts


@admin.register(Assignment)
class AssignmentAdmin(Audited):
    """A new assignment begins now; what the device was on before ends."""

    form = AssignmentForm
    audited_by_operations = True
    raw_id_fields = ("track",)
    list_display = ("unit", "track", "starts_at", "ends_at")
    list_filter = ("unit__agency",)
    actions = ["end_now"]

    def has_change_permission(self, request: HttpRequest, obj: Assignment | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Assignment | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Assignment, form: Any, change: bool) -> None:
        made = operations.assign(**form.cleaned_data, at=read_instance().clock.now())
        obj.pk = made.pk

    @admin.action(description="End now", permissions=["add"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[Assignment]) -> None:
        at = read_instance().clock.now()
        for assignment in queryset:
            operations.end_assignment(assignment=assignment, at=at)
        messages.success(request, f"{len(queryset)} ended")
