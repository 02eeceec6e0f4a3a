"""Audit rows of second factors, whoever adds or removes one: allauth's pages, an administrator, or a member who is deleted."""

from typing import Any

from allauth.mfa.models import Authenticator

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
