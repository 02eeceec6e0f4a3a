"""Sign-in by allauth; members are made by administrators, nobody signs up. An address is slowed (ACCOUNT_RATE_LIMITS) before a
name is locked. What begins or ends here is written to the audit in its own transaction."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from apps.accounts import break_glass, lock_out
from apps.accounts.guard import is_confirmed
from apps.accounts.models import Member
from apps.accounts.session_store import SIGN_IN
from apps.audit.operations import record


class SignIn(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "changed": "Your account was changed just now. Sign in again.",
        "locked": "Too many wrong passwords: this name is locked until an administrator releases it.",
        "spent": "This sealed account was opened before. It must be sealed again.",
        "too_many_login_attempts": "Too many attempts from here. Wait a minute and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        super().pre_authenticate(request, **credentials)
        name = credentials.get("username", "")
        if break_glass.is_break_glass(name):
            if break_glass.is_spent(name, at=timezone.now()):
                record("sign_in_refused", name=name, reason="spent")
                raise self.validation_error("spent")
        elif not lock_out.begin_attempt(name, at=timezone.now()):
            record("sign_in_refused", name=name, reason="locked")
            raise self.validation_error("locked")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        member: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if member is not None:
            lock_out.take_back(credentials.get("username", ""))
        return member

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        act = "reauthentication_failed" if request.user.is_authenticated else "sign_in_failed"
        record(act, name=credentials.get("username", ""))

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **hints: Any) -> HttpResponse | None:
        """A passkey and an issuer's word open nothing that a password would not: no locked name, and no spent account."""
        name = user.get_username()
        reason = "spent" if break_glass.is_spent(name, at=timezone.now()) else "locked" if lock_out.is_locked(name) else ""
        if reason and not (reason == "locked" and break_glass.is_break_glass(name)):
            record("sign_in_refused", target=f"member:{user.pk}", name=name, reason=reason)
            messages.error(request, self.error_messages[reason])
            clear_login(request)
            return HttpResponseRedirect(reverse("account_login"))
        answer: HttpResponse | None = super().pre_login(request, user, **hints)
        return answer

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Every step was taken. Raises ImmediateHttpResponse for who was cut off, or got another password, since the first one."""
        if not self._let_in(request, user):
            record("sign_in_refused", target=f"member:{user.pk}", name=user.get_username(), reason="changed meanwhile")
            messages.error(request, self.error_messages["changed"])
            clear_login(request)
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))

    @transaction.atomic
    def _let_in(self, request: HttpRequest, user: AbstractBaseUser) -> bool:
        """The session, under its new key, and the audit row commit together. Locks the member's row: either the sign-in sees that the
        member was cut off, or the cutting off sees the session."""
        if not Member.objects.select_for_update().filter(pk=user.pk, is_active=True, password=user.password).first():
            return False
        super().login(request, user)
        lock_out.succeeded(user.get_username())
        record("sign_in", target=f"member:{user.pk}", detail={"how": request.session[SIGN_IN]["how"]})
        break_glass.opened(user, at=timezone.now())
        return True

    def get_login_stages(self) -> list[str]:
        ours = {"allauth.mfa.stages.AuthenticateStage": "apps.accounts.stages.SecondFactorStage"}
        return [ours.get(stage, stage) for stage in super().get_login_stages()]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not is_confirmed(context.request)

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> Any:
        record("sign_in_refused", target=f"member:{user.pk}", name=user.get_username(), reason="inactive")
        return super().respond_user_inactive(request, user)
