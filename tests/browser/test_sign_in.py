"""Signing in, as a newcomer with the printed login does it."""

from tests.browser.conftest import Login, OpenDesk


def test_the_printed_login_opens_the_map(open_desk: OpenDesk, login: Login) -> None:
    desk = open_desk()
    assert desk.page.url.startswith(f"{desk.system.url}/accounts/login/")
    desk.assert_texts_are_readable(at_least=5)
    desk.picture("sign-in")
    desk.sign_in(*login)
    desk.page.wait_for_selector("rtcc-top header")
    assert desk.page.url.partition("#")[0] == f"{desk.system.url}/"


def test_a_wrong_password_is_told_in_plain_words(open_desk: OpenDesk, login: Login) -> None:
    desk = open_desk()
    desk.sign_in(login[0], "not the password")
    desk.until_text("[role=alert]", "password you specified are not correct")
    assert desk.page.get_by_label("User name").input_value() == login[0]
    desk.assert_texts_are_readable(at_least=5)


def test_the_administrators_pages_work_under_the_policy(open_desk: OpenDesk, login: Login) -> None:
    """Nothing inline runs and nothing foreign loads: a browser would complain, which the desk notes."""
    desk = open_desk(path="/admin/accounts/member/")
    desk.sign_in(*login)
    desk.page.get_by_role("link", name=login[0], exact=True).first.click()
    desk.page.wait_for_selector("#id_username")
    desk.page.goto(f"{desk.system.url}/admin/ingest/source/add/")
    desk.page.wait_for_selector("#id_slug")
    assert desk.problems == []
