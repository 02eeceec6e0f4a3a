"""Sign-in by allauth: closed to strangers, limited in rate, the same for the admin pages."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts import lock_out, operations
from apps.accounts.models import Member, SignInAttempts
from apps.audit.models import Entry
from tests.world import PASSWORD, make_member, signed_in

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def sign_in(client: Client, password: str) -> int:
    return client.post(LOGIN, {"login": "dana", "password": password}).status_code


def test_a_member_signs_in_and_out() -> None:
    make_member(second_factor=False)
    client = Client()
    assert client.get(LOGIN).status_code == 200
    assert sign_in(client, PASSWORD) == 302
    assert "_auth_user_id" in client.session
    assert client.get("/accounts/logout/").status_code == 200, "leaving needs a button, not a link"
    assert "_auth_user_id" in client.session
    client.post("/accounts/logout/")
    assert "_auth_user_id" not in client.session


def test_a_wrong_password_is_refused() -> None:
    make_member(second_factor=False)
    client = Client()
    assert sign_in(client, "wrong") == 200
    assert "_auth_user_id" not in client.session


def test_an_inactive_member_cannot_sign_in() -> None:
    member = make_member(second_factor=False)
    member.is_active = False
    member.save()
    client = Client()
    sign_in(client, PASSWORD)
    assert "_auth_user_id" not in client.session


def test_an_address_is_slowed_before_a_name_is_locked() -> None:
    make_member(second_factor=False)
    client = Client()
    for _ in range(8):
        sign_in(client, "wrong")
    sign_in(client, PASSWORD)
    assert "_auth_user_id" not in client.session
    assert not SignInAttempts.objects.filter(locked_at__isnull=False).exists()
    cache.clear()  # a minute later
    sign_in(client, PASSWORD)
    assert "_auth_user_id" in client.session


def test_many_names_from_one_address_are_slowed() -> None:
    tried = [Client().post(LOGIN, {"login": f"member{number}", "password": "Spring2026"}).content for number in range(50)]
    assert sum(b"not correct" in answer for answer in tried) == 4
    assert SignInAttempts.objects.count() == 4


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_many_names_from_one_address_are_slowed_and_no_account_locks(count: int) -> None:
    """Four passwords a minute are looked at, whoever they are for; then the address is told to wait, at last by a 429."""
    names = [f"member{number}" for number in range(count)]
    for name in names[:20]:
        make_member(username=name, second_factor=False)
    answers = [Client().post(LOGIN, {"login": name, "password": "Spring2026"}) for name in names]
    assert sum(b"not correct" in answer.content for answer in answers) == 4
    assert [answer.status_code for answer in answers[:30]] == [200] * 30
    assert {answer.status_code for answer in answers[30:]} == {429}
    assert not SignInAttempts.objects.filter(locked_at__isnull=False).exists()
    assert Entry.objects.filter(act="sign_in_failed").count() == 4
    assert sign_in_as("member0", Client(REMOTE_ADDR="10.5.5.5")), "from elsewhere they sign in as ever"


def sign_in_as(name: str, client: Client) -> bool:
    client.post(LOGIN, {"login": name, "password": PASSWORD})
    return "_auth_user_id" in client.session


def from_elsewhere(name: str, password: str, number: int) -> bytes:
    return Client(REMOTE_ADDR=f"10.0.0.{number}").post(LOGIN, {"login": name, "password": password}).content


@pytest.mark.parametrize("name", ["dana", "nobody"])
def test_five_wrong_passwords_lock_a_name_whoever_has_it(name: str) -> None:
    make_member(second_factor=False)
    answers = [from_elsewhere(name.upper() if number % 2 else name, "wrong", number) for number in range(7)]
    assert [b"is locked" in answer for answer in answers] == [False] * 5 + [True] * 2
    assert b"is locked" in from_elsewhere(name, PASSWORD, 9)


def test_who_signs_in_takes_the_failures_back() -> None:
    make_member(second_factor=False)
    for number in range(4):
        from_elsewhere("dana", "wrong", number)
    assert sign_in(Client(REMOTE_ADDR="10.0.1.1"), PASSWORD) == 302
    assert not SignInAttempts.objects.exists()


def test_failures_long_apart_do_not_lock() -> None:
    begun = timezone.now()
    assert all(lock_out.begin_attempt("dana", at=begun + number * timedelta(minutes=4)) for number in range(20))
    assert SignInAttempts.objects.get().locked_at is None


def test_a_lock_lasts_until_it_is_released() -> None:
    begun = timezone.now()
    answers = [lock_out.begin_attempt("dana", at=begun) for _ in range(6)]
    assert answers == [True] * 5 + [False]
    assert not lock_out.begin_attempt("dana", at=begun + timedelta(days=30))
    call_command("release_sign_in", "Dana")
    assert lock_out.begin_attempt("dana", at=begun + timedelta(days=30))
    with pytest.raises(CommandError, match="dana is not locked"):
        call_command("release_sign_in", "dana")


def test_names_that_are_tried_no_more_are_forgotten() -> None:
    lock_out.begin_attempt("anybody", at=timezone.now())
    lock_out.begin_attempt("dana", at=timezone.now() + timedelta(minutes=16))
    assert [row.name for row in SignInAttempts.objects.all()] == ["dana"]


@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_once_are_no_more_than_five() -> None:
    def guess(_: int) -> bool:
        try:
            return lock_out.begin_attempt("dana", at=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(40))) == lock_out.MOST_FAILURES


@pytest.mark.django_db(transaction=True)
def test_who_signs_in_while_another_guesses_breaks_nothing() -> None:
    def sign_in_again(_: int) -> None:
        try:
            lock_out.begin_attempt("dana", at=timezone.now())
            lock_out.succeeded("dana")
        finally:
            connection.close()

    with ThreadPoolExecutor(lock_out.MOST_FAILURES - 1) as pool:
        list(pool.map(sign_in_again, range(200)))
    assert not SignInAttempts.objects.exists()


def test_an_administrator_releases_a_name() -> None:
    for _ in range(6):
        lock_out.begin_attempt("dana", at=timezone.now())
    lock_out.begin_attempt("eve", at=timezone.now())
    boss = operations.make_administrator(username="boss", password=PASSWORD)
    client = signed_in(boss)
    page = client.get("/admin/accounts/signinattempts/").content
    assert b"dana" in page
    assert b"eve" not in page
    client.post("/admin/accounts/signinattempts/", {"action": "release", "_selected_action": ["dana"]})
    assert lock_out.begin_attempt("dana", at=timezone.now())


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
    client.force_login(make_member(second_factor=False), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/", follow=True).status_code in (302, 403)
