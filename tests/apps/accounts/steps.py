"""The steps that people take on the pages of sign-in."""

import time

from django.test import Client

from apps.audit.models import Entry
from tests.world import PASSWORD, code_at

LOGIN, SECOND, REAUTHENTICATE = "/accounts/login/", "/accounts/2fa/authenticate/", "/accounts/reauthenticate/"


def give_password(client: Client, name: str = "dana", password: str = PASSWORD) -> str:
    """Take the first step; return where it leads, or what it says."""
    answer = client.post(LOGIN, {"login": name, "password": password})
    return answer.headers.get("Location") or answer.content.decode()


def give_code(client: Client, code: str) -> str:
    answer = client.post(SECOND, {"code": code})
    return answer.headers.get("Location") or answer.content.decode()


def sign_in_wholly(client: Client, name: str = "dana") -> None:
    assert give_password(client, name) == SECOND
    assert give_code(client, code_at(time.time())) == "/"


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def acts() -> list[str]:
    """Return what the audit holds, in order."""
    return list(Entry.objects.order_by("pk").values_list("act", flat=True))
