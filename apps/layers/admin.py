"""Django admin of agencies and grants: both name layers of the catalog, which lies above accounts."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from apps.accounts.admin import TellsEpoch
from apps.accounts.models import Agency, Grant, PriorityCode, StatusCode
from apps.accounts.operations import give_defaults, grant_facts, let_administrators_in
from apps.layers.registry import catalog, names


class AgencyForm(forms.ModelForm):
    time_zone = forms.ChoiceField(
        required=False, choices=lambda: [("", "not set"), *((name, name) for name in sorted(available_timezones()))]
    )

    class Meta:
        model = Agency
        fields = ["slug", "name", "time_zone", "length_unit", "distance_unit", "speed_unit", "shifts", "why_required"]


class StatusInline(admin.TabularInline):
    model = StatusCode
    extra = 0


class PriorityInline(admin.TabularInline):
    model = PriorityCode
    extra = 0


@admin.register(Agency)
class AgencyAdmin(TellsEpoch):
    """A new agency gets the default codes and grants, and who administers the instance sees it; its codes can be changed once it exists."""

    form = AgencyForm
    list_display = ("name", "slug", "time_zone")

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        return [StatusInline, PriorityInline] if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            give_defaults(agency=obj, layers=names())
            let_administrators_in(agency=obj)


class GrantForm(forms.ModelForm):
    layer = forms.ChoiceField(choices=lambda: [(layer.name, layer.title) for layer in catalog().values()])

    class Meta:
        model = Grant
        fields = ["role", "holder", "action", "layer", "agency"]


@admin.register(Grant)
class GrantAdmin(TellsEpoch):
    form = GrantForm
    acts = {"made": "grant_given", "removed": "grant_withdrawn"}

    def facts_of(self, obj: Any) -> dict[str, Any]:
        return grant_facts(obj)

    list_display = ("role", "holder", "action", "layer", "agency")
    list_filter = ("role", "holder", "layer", "agency")
