from datetime import date

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from apps.retention import views


class DayConverter(StringConverter):
    """A day such as 2026-11-25."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> date:  # type: ignore[override]
        return date.fromisoformat(value)

    def to_url(self, value: date) -> str:  # type: ignore[override]
        return value.isoformat()


register_converter(DayConverter, "day")

urlpatterns = [
    path("", views.overview, name="retention"),
    path("rules/new", views.new_rule, name="retention-new-rule"),
    path("holds/new", views.new_hold, name="retention-new-hold"),
    path("holds/<uuid:id>", views.hold, name="retention-hold"),
    path("holds/<uuid:id>/rows.jsonl", views.export_hold, name="retention-hold-rows"),
    path("holds/<uuid:id>/confirm", views.act_on_hold, {"act": "confirm"}, name="retention-hold-confirm"),
    path("holds/<uuid:id>/release", views.act_on_hold, {"act": "release"}, name="retention-hold-release"),
    path("holds/<uuid:id>/extend", views.act_on_hold, {"act": "extend"}, name="retention-hold-extend"),
    path("proofs/<int:generation>/<day:day>", views.day, name="retention-day"),
]
