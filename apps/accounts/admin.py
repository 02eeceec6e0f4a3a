"""Django admin of members and keys. Grants and agencies are in layers.admin, since they name layers."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.accounts import epoch, lock_out, operations
from apps.accounts.models import ApiKey, Member, Membership, SignInAttempts
from apps.audit.site import Audited

# Sign-in to the admin goes by allauth too, so that its rate limits hold there.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "RTCC Geo"


class TellsEpoch(Audited):
    """After each write the new epoch goes out, as after an operation."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        epoch.tell()

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        super().delete_model(request, obj)
        epoch.tell()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        epoch.tell()


class MadeElsewhere(admin.ModelAdmin):
    """Rows that are neither made nor changed on the admin pages."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnly(MadeElsewhere):
    """Rows that people only look at."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 1


@admin.register(Member)
class MemberAdmin(TellsEpoch, UserAdmin):
    inlines = [MembershipInline]
    list_display = ("username", "first_name", "last_name", "is_staff", "is_active")

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with transaction.atomic():  # with the audit row
            response = super().user_change_password(request, id, form_url)
        epoch.tell()
        return response


@admin.register(ApiKey)
class ApiKeyAdmin(MadeElsewhere, TellsEpoch):
    """Keys are made with their source and shown once; here they are listed and revoked."""

    list_display = ("prefix", "agency", "created_at", "created_by", "revoked_at")
    list_filter = ("agency",)
    actions = ["revoke"]

    @admin.action(description="Revoke for good", permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            operations.revoke_key(key=key, at=timezone.now())
        messages.success(request, f"{len(queryset)} revoked")


@admin.register(SignInAttempts)
class LockedNameAdmin(MadeElsewhere):
    """Names that were locked for wrong passwords, to be released."""

    list_display = ("name", "locked_at")
    actions = ["release"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SignInAttempts]:
        return super().get_queryset(request).filter(locked_at__isnull=False)

    @admin.action(description="Release", permissions=["delete"])
    def release(self, request: HttpRequest, queryset: QuerySet[SignInAttempts]) -> None:
        released = sum(lock_out.release(row.name) for row in queryset)
        messages.success(request, f"{released} released")
