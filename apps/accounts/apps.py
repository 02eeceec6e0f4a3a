from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_delete, post_save, pre_save


class AccountsConfig(AppConfig):
    name = "apps.accounts"

    def ready(self) -> None:
        """Listen to what the libraries tell in no other way."""
        from allauth.account.signals import authentication_step_completed, password_changed
        from allauth.mfa.models import Authenticator
        from allauth.socialaccount.models import SocialAccount

        from apps.accounts import factor_audit, sessions

        user_logged_in.connect(sessions.begun)
        user_logged_out.connect(sessions.over)
        authentication_step_completed.connect(sessions.confirmed)
        password_changed.connect(sessions.password_changed)
        pre_save.connect(factor_audit.before_save, sender=Authenticator)
        post_save.connect(factor_audit.after_save, sender=Authenticator)
        post_delete.connect(factor_audit.after_delete, sender=Authenticator)
        post_save.connect(factor_audit.after_linked, sender=SocialAccount)
        post_delete.connect(factor_audit.after_unlinked, sender=SocialAccount)
