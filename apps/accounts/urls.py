"""Sign-in. Members are made by administrators and have no mail address, so there is no sign-up and no reset by mail."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import views
from allauth.mfa.base import views as factor
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as social
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

from apps.accounts import desk_views, oidc_views, session_views, token_views

View = Callable[..., HttpResponse]


def whole(view: View) -> View:
    """What allauth writes commits together with its audit row."""

    @wraps(view)
    def in_one_transaction(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            return view(request, *args, **kwargs)

    return in_one_transaction


urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", whole(views.logout), name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("signup/", views.signup, name="account_signup"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("tokens/", token_views.view_tokens, name="view_tokens"),
    path("tokens/<int:id>/revoke/", token_views.revoke_view_token, name="revoke_view_token"),
    path("password/change/", whole(views.password_change), name="account_change_password"),
    path("2fa/", factor.index, name="mfa_index"),
    path("2fa/authenticate/", factor.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", factor.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/app/", whole(totp.activate_totp), name="mfa_activate_totp"),
    path("2fa/app/remove/", whole(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("2fa/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("2fa/codes/new/", whole(codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("2fa/codes/file/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("2fa/passkeys/", passkeys.list_webauthn, name="mfa_list_webauthn"),
    path("2fa/passkeys/add/", whole(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path("2fa/passkeys/sign-in/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("2fa/passkeys/reauthenticate/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("2fa/passkeys/<int:pk>/remove/", whole(passkeys.remove_webauthn), name="mfa_remove_webauthn"),
    path("2fa/passkeys/<int:pk>/name/", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    path("sessions/", session_views.own_sessions, name="sessions"),
    path("sessions/<str:username>/", session_views.sessions_of_member, name="sessions_of_member"),
    path("session/", desk_views.state, name="session"),
    path("session/lock/", desk_views.lock, name="session_lock"),
    path("session/unlock/", desk_views.unlock, name="session_unlock"),
    path("workstation/", desk_views.workstation, name="workstation"),
    path("sso/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("sso/error/", social.login_error, name="socialaccount_login_error"),
    path("sso/signup/", social.signup, name="socialaccount_signup"),
    path("sso/<slug:provider_id>/", oidc_views.login, name="openid_connect_login"),
    path("sso/<slug:provider_id>/back/", oidc_views.callback, name="openid_connect_callback"),
]
