"""Sources, their keys and health, and what was turned away, for administrators."""

from typing import Any

from django.contrib import admin, messages
from django.forms import ModelForm
from django.http import HttpRequest

from apps.accounts.admin import ReadOnly
from apps.accounts.models import Member
from apps.audit.site import Audited
from apps.ingest import operations
from apps.ingest.models import OutboundUse, Post, Reject, Source, SourceHealth, SourceKey


class SourceForm(ModelForm):
    class Meta:
        model = Source
        fields = ("agency", "slug", "name", "adapter", "origin", "settings", "interval_s", "enabled", "observations_per_s")

    def clean(self) -> dict[str, Any]:
        """Refuse an adapter that does not exist and an origin that this instance may not hold."""
        cleaned = super().clean() or {}
        checks = {"adapter": operations.check_adapter, "origin": operations.check_origin}
        for field in checks.keys() & self.fields.keys():
            try:
                checks[field](cleaned.get(field, ""))
            except (operations.UnknownAdapter, operations.WrongOrigin) as error:
                self.add_error(field, str(error))
        return cleaned


@admin.register(Source)
class SourceAdmin(Audited):
    form = SourceForm
    list_display = ("name", "slug", "agency", "adapter", "origin", "enabled", "last_message")
    list_select_related = ("agency", "health")
    list_filter = ("agency", "adapter", "origin", "enabled")
    actions = ("issue_keys",)

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> tuple[str, ...]:
        """Origin and agency are never changed: rows already carry them."""
        return ("agency", "origin") if obj else ()

    @admin.display(description="last message")
    def last_message(self, source: Source) -> str:
        health = getattr(source, "health", None)
        return f"{health.last_message_at:%Y-%m-%d %H:%M:%S}" if health and health.last_message_at else "never"

    @admin.action(description="Issue a new key for each (shown once)", permissions=["change"])
    def issue_keys(self, request: HttpRequest, queryset: Any) -> None:
        by = request.user if isinstance(request.user, Member) else None
        for source in queryset:
            key = operations.issue_key(source, by)
            messages.warning(request, f"Key of {source.slug}, shown only now: {key}")


@admin.register(SourceKey)
class SourceKeyAdmin(ReadOnly):
    list_display = ("key", "source", "created_at", "revoked_at")
    list_select_related = ("key", "source")
    actions = ("revoke",)

    @admin.display(description="created")
    def created_at(self, tie: SourceKey) -> Any:
        return tie.key.created_at

    @admin.display(description="revoked")
    def revoked_at(self, tie: SourceKey) -> Any:
        return tie.key.revoked_at

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        if not request.user.has_perm("accounts.change_apikey"):
            messages.error(request, "You may not revoke keys.")
            return
        for tie in queryset:
            operations.revoke_key(tie.key)


@admin.register(SourceHealth)
class SourceHealthAdmin(ReadOnly):
    list_display = ("source", "last_message_at", "messages", "observations", "rejects", "clock_offset_ms", "last_error", "last_error_at")
    list_select_related = ("source",)


@admin.register(OutboundUse)
class OutboundUseAdmin(ReadOnly):
    list_display = ("address", "source", "last_used_at", "last_result")
    list_select_related = ("source",)


@admin.register(Reject)
class RejectAdmin(ReadOnly):
    list_display = ("received_at", "source", "reason", "detail", "quarantined", "index", "post_id")
    list_select_related = ("source",)
    list_filter = ("reason", "quarantined", "source")
    fields = ("received_at", "source", "post_id", "index", "reason", "detail", "quarantined", "as_text")
    show_full_result_count = False

    @admin.display(description="what came")
    def as_text(self, reject: Reject) -> str:
        return bytes(reject.part).decode("utf-8", "replace")


@admin.register(Post)
class PostAdmin(ReadOnly):
    list_display = ("id", "received_at", "content_type", "accepted", "rejected")
    fields = ("id", "source_id", "received_at", "content_type", "accepted", "rejected", "notes", "as_text")
    ordering = ("-received_at",)
    show_full_result_count = False

    @admin.display(description="what came")
    def as_text(self, post: Post) -> str:
        return bytes(post.raw)[:20_000].decode("utf-8", "replace")
