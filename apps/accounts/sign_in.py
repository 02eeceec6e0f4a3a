"""Sign-in by allauth; members are made by administrators, nobody signs up. An address is slowed (ACCOUNT_RATE_LIMITS) before a
name is locked."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import lock_out


class SignIn(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "locked": "Too many wrong passwords: this name is locked until an administrator releases it."
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        super().pre_authenticate(request, **credentials)
        if not lock_out.begin_attempt(credentials.get("username", ""), at=timezone.now()):
            raise self.validation_error("locked")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        member: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if member is not None:
            lock_out.succeeded(credentials.get("username", ""))
        return member
