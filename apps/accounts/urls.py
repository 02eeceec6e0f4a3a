"""Sign-in. Members are made by administrators and have no mail address, so there is no sign-up and no reset by mail."""

from allauth.account import views
from django.urls import path

from apps.accounts import token_views

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("signup/", views.signup, name="account_signup"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("tokens/", token_views.view_tokens, name="view_tokens"),
    path("tokens/<int:id>/revoke/", token_views.revoke_view_token, name="revoke_view_token"),
    path("password/change/", views.password_change, name="account_change_password"),
]
