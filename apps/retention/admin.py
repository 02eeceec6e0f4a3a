"""Every rule that was ever made, for administrators. Rules are made on /retention/, where it is counted what they remove."""

from django.contrib import admin

from apps.accounts.admin import ReadOnly
from apps.retention.models import Rule
from apps.retention.wording import duration


@admin.register(Rule)
class RuleAdmin(ReadOnly):
    list_display = ("data_class", "agency", "kept_for", "legal_source", "valid_from", "made_by_name", "made_at")
    list_select_related = ("agency",)
    list_filter = ("data_class", "agency")
    ordering = ("data_class", "-valid_from", "-id")

    @admin.display(description="kept for", empty_value="as every agency")
    def kept_for(self, rule: Rule) -> str | None:
        return None if rule.keep is None else duration(rule.keep)
