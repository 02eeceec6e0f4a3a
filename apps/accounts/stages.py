"""The second step of a sign-in."""

from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest

from apps.accounts.models import BreakGlass, Issuer


class SecondFactorStage(AuthenticateStage):  # type: ignore[misc]
    """Asks for the second factor, except of sealed accounts and where an issuer asked for its own."""

    def _should_handle(self, request: HttpRequest) -> bool:
        user = self.login.user
        if user is None or BreakGlass.objects.filter(member_id=user.pk).exists():
            return False
        federated = (self.login.signal_kwargs or {}).get("sociallogin")
        if federated and Issuer.objects.filter(slug=federated.account.provider, is_active=True, enforces_second_factor=True).exists():
            return False
        return bool(super()._should_handle(request))
