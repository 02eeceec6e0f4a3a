"""Audit rows of second factors and of accounts at an issuer, whoever adds or removes one: allauth's pages, an administrator, or a
member who is deleted."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount

from apps.accounts import epoch, second_factor
from apps.audit.operations import record


def before_save(sender: object, instance: Authenticator, **more: Any) -> None:
    if instance.pk is None:
        second_factor.mark_activation(instance)


def after_save(sender: object, instance: Authenticator, created: bool, **more: Any) -> None:
    if created:
        record("second_factor_added", target=f"member:{instance.user_id}", detail={"type": str(instance.type)})
        epoch.tell()


def after_delete(sender: object, instance: Authenticator, **more: Any) -> None:
    record("second_factor_removed", target=f"member:{instance.user_id}", detail={"type": str(instance.type)})
    epoch.tell()


def after_linked(sender: object, instance: SocialAccount, created: bool, **more: Any) -> None:
    if created:
        _record_sign_on("single_sign_on_added", instance)


def after_unlinked(sender: object, instance: SocialAccount, **more: Any) -> None:
    _record_sign_on("single_sign_on_removed", instance)


def _record_sign_on(act: str, account: SocialAccount) -> None:
    record(act, target=f"member:{account.user_id}", detail={"issuer": account.provider})
    epoch.tell()
