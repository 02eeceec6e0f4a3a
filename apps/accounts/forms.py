"""Forms of sign-in that count what is guessed."""

from typing import Any

from allauth.account.adapter import get_adapter as account_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.base.internal.flows import check_rate_limit
from django.utils import timezone

from apps.accounts import lock_out, second_factor
from apps.audit.operations import record


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """A code of the authenticator app or a recovery code. A wrong one counts like a wrong password."""

    act = "second_factor_failed"

    def clean_code(self) -> str:
        may_try_again = check_rate_limit(self.user)
        if not lock_out.begin_attempt(self.user.username, at=timezone.now()):
            raise account_adapter().validation_error("locked")
        authenticator = second_factor.use_code(self.user, self.cleaned_data["code"], at=timezone.now())
        if authenticator is None:
            record(self.act, target=f"member:{self.user.pk}", name=self.user.username)
            raise second_factor.SecondFactor().validation_error("incorrect_code")
        may_try_again()
        lock_out.take_back(self.user.username)
        authenticator.user = self.user
        self.authenticator = authenticator
        code: str = self.cleaned_data["code"]
        return code


class CodeAgainForm(CodeForm, ReauthenticateForm):  # type: ignore[misc]
    """The same, by who is signed in already."""

    act = "reauthentication_failed"

    def save(self, *args: Any) -> None:
        ReauthenticateForm.save(self)
