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
