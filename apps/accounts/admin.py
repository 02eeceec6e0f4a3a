"""Django admin of members and keys. Grants and agencies are in layers.admin, since they name layers."""

from typing import Any

from allauth.account import views as allauth
from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from apps.accounts import cutting, epoch, lock_out, operations, second_factor, sessions, vault
from apps.accounts.models import ApiKey, BreakGlass, GroupRole, Issuer, Member, Membership, SignInAttempts, WorkstationClass
from apps.accounts.second_factor import STRONG
from apps.audit.site import Audited

# Sign-in to the admin goes by allauth too, so that its rate limits hold there.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.logout = lambda request, extra_context=None: allauth.logout(request)  # type: ignore[method-assign]
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


class Reasoned(ActionForm):
    """Beside the choice of an act: why."""

    reason = forms.CharField(required=False, max_length=300, label="Why")


@admin.register(Member)
class MemberAdmin(TellsEpoch, UserAdmin):
    inlines = [MembershipInline]
    list_display = ("username", "first_name", "last_name", "is_staff", "is_active", "second_factor", "sessions")
    actions = ["cut_off", "cut_off_with_keys", "remove_second_factor"]
    action_form = Reasoned

    @admin.display(description="second factor", boolean=True)
    def second_factor(self, member: Member) -> bool:
        return bool(Authenticator.objects.filter(user=member, type__in=STRONG).exists())

    @admin.display(description="sessions")
    def sessions(self, member: Member) -> str:
        return format_html('<a href="{}">{}</a>', reverse("sessions_of_member", args=[member.username]), member.sessions.count())

    @admin.action(description="Cut off: sign-in, sessions, live maps", permissions=["change"])
    def cut_off(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        self._cut_off(request, queryset, revoke_keys=False)

    @admin.action(description="Cut off, and revoke the keys of sources that they made", permissions=["change"])
    def cut_off_with_keys(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        self._cut_off(request, queryset, revoke_keys=True)

    def _cut_off(self, request: HttpRequest, queryset: QuerySet[Member], *, revoke_keys: bool) -> None:
        by = Member.objects.get(pk=request.user.pk or 0)
        for member in queryset:
            reason = request.POST.get("reason", "")
            cut = cutting.cut_off(member=member, by=by, reason=reason, at=timezone.now(), revoke_keys=revoke_keys)
            keys = f" Keys revoked: {', '.join(cut.revoked)}." if cut.revoked else ""
            left = f" Keys that they made and that go on: {', '.join(cut.left)}." if cut.left else ""
            messages.success(request, f"{member.username} is cut off.{keys}{left}")

    @admin.action(description="Remove the second factor (a lost phone)", permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        for member in queryset:
            second_factor.remove(member, reason=request.POST.get("reason", ""))
            messages.success(request, f"{member.username} sets up a new second factor with the next sign-in")

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with transaction.atomic():  # with the audit row
            response = super().user_change_password(request, id, form_url)
            if request.method == "POST" and response.status_code == 302:
                member = Member.objects.get(pk=id)
                sessions.end_all(member, at=timezone.now(), keep=request.session.session_key or "")
        epoch.tell()
        return response


@admin.register(WorkstationClass)
class WorkstationClassAdmin(admin.ModelAdmin):
    list_display = ("name", "agency", "idle_minutes", "is_exempt")
    list_filter = ("agency",)


class GroupRoleInline(admin.TabularInline):
    model = GroupRole
    extra = 1


class IssuerForm(forms.ModelForm):
    """The secret is typed and never shown."""

    server_url = forms.URLField(label="Address", assume_scheme="https", help_text=Issuer._meta.get_field("server_url").help_text)
    new_secret = forms.CharField(required=False, widget=forms.PasswordInput, label="Client secret", help_text="empty: as it is")

    class Meta:
        model = Issuer
        fields = (
            "slug", "name", "server_url", "other_hosts", "allow_private", "client_id", "groups_claim", "enforces_second_factor",
            "is_active",
        )  # fmt: skip

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data["new_secret"]:
            self.instance.secret = vault.encrypt(self.cleaned_data["new_secret"])
        return super().save(commit)


@admin.register(Issuer)
class IssuerAdmin(TellsEpoch):
    """Identity providers whose people may sign in here."""

    form = IssuerForm
    inlines = [GroupRoleInline]
    list_display = ("name", "server_url", "is_active", "enforces_second_factor", "last_used_at", "last_result")
    readonly_fields = ("last_used_at", "last_result")


@admin.register(BreakGlass)
class BreakGlassAdmin(ReadOnly):
    """Sealed accounts; `./rtcc run seal_break_glass` seals them."""

    list_display = ("member", "sealed_at", "opened_at", "ended_at")


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


def hide_library_pages() -> None:
    """What allauth keeps is managed on pages of our own: its rows hold secrets, and what changes them writes audit rows."""
    for model in (Authenticator, SocialAccount, SocialApp, SocialToken):
        admin.site.unregister(model)
