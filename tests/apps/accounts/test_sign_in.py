"""Sign-in by allauth: closed to strangers, limited in rate, the same for the admin pages."""

import pytest
from django.core.cache import cache
from django.test import Client

from apps.accounts.models import Member
from tests.world import PASSWORD, make_member

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def sign_in(client: Client, password: str) -> int:
    return client.post(LOGIN, {"login": "dana", "password": password}).status_code


def test_a_member_signs_in_and_out() -> None:
    make_member()
    client = Client()
    assert client.get(LOGIN).status_code == 200
    assert sign_in(client, PASSWORD) == 302
    assert "_auth_user_id" in client.session
    assert client.get("/accounts/logout/").status_code == 200, "leaving needs a button, not a link"
    assert "_auth_user_id" in client.session
    client.post("/accounts/logout/")
    assert "_auth_user_id" not in client.session


def test_a_wrong_password_is_refused() -> None:
    make_member()
    client = Client()
    assert sign_in(client, "wrong") == 200
    assert "_auth_user_id" not in client.session


def test_an_inactive_member_cannot_sign_in() -> None:
    member = make_member()
    member.is_active = False
    member.save()
    client = Client()
    sign_in(client, PASSWORD)
    assert "_auth_user_id" not in client.session


def test_guessing_is_slowed_down() -> None:
    make_member()
    client = Client()
    for _ in range(5):
        sign_in(client, "wrong")
    sign_in(client, PASSWORD)
    assert "_auth_user_id" not in client.session


def test_nobody_signs_up() -> None:
    client = Client()
    facts = {"username": "eve", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/accounts/signup/", facts).status_code in (200, 403)
    assert not Member.objects.filter(username="eve").exists()


def test_there_is_no_reset_by_mail() -> None:
    assert Client().get("/accounts/password/reset/").status_code == 404


def test_the_admin_pages_use_the_same_sign_in() -> None:
    response = Client().get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith(LOGIN)


def test_a_member_without_staff_rights_has_no_admin_pages() -> None:
    client = Client()
    client.force_login(make_member(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/", follow=True).status_code in (302, 403)
