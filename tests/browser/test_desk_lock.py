"""A desk that nobody uses: the sign-in lies over the running page, and what lies below is covered here and refused by the server."""

import re
from datetime import timedelta

from django.utils import timezone

from apps.accounts.models import MemberSession
from tests.browser.conftest import Login, OpenDesk

COVERED = ("rtcc-side", "rtcc-layers")


def test_an_idle_desk_locks_over_the_running_map_and_opens_for_its_member(open_desk: OpenDesk, login: Login) -> None:
    desk = open_desk()
    desk.sign_in(*login)
    desk.until_live()
    desk.page.evaluate("localStorage.setItem('rtcc.used', '0')")
    assert not desk.state()["locked"]
    desk.page.clock.install()
    desk.page.clock.fast_forward("31:00")
    desk.until(lambda: desk.state()["locked"], what="the lock")
    dialog = desk.page.get_by_role("dialog", name="This desk is locked")
    dialog.wait_for()
    desk.until(lambda: MemberSession.objects.filter(locked_at__isnull=False).exists(), what="the server's lock")
    desk.page.keyboard.press("Escape")
    desk.page.keyboard.press("Escape")
    assert dialog.is_visible()
    assert [desk.page.locator(part).is_visible() for part in COVERED] == [False, False]
    desk.until_live()
    before = desk.state()["now"]
    desk.until(lambda: desk.state()["now"] > before + 1000, what="the map goes on")
    desk.expect(r"423 \(Locked\)|status of 403")
    assert desk.page.evaluate("fetch('/api/layers/').then((answer) => answer.status)") == 423
    desk.picture("desk-locked")
    desk.page.get_by_label("Password").fill("not the password")
    desk.page.get_by_role("button", name="Unlock").click()
    desk.until(lambda: "not your password" in dialog.inner_text(), what="the refusal")
    desk.page.get_by_label("Password").fill(login[1])
    desk.page.get_by_role("button", name="Unlock").click()
    desk.until(lambda: not desk.state()["locked"], what="the page as it was")
    assert [desk.page.locator(part).is_visible() for part in COVERED] == [True, True]
    assert desk.page.evaluate("fetch('/api/layers/').then((answer) => answer.status)") == 200


def test_the_server_hears_whether_somebody_uses_the_map(open_desk: OpenDesk, login: Login) -> None:
    desk = open_desk()
    desk.page.clock.install()
    desk.sign_in(*login)
    desk.until_live()
    desk.page.mouse.move(300, 300)
    desk.page.clock.fast_forward("20:00")
    key = next(cookie["value"] for cookie in desk.page.context.cookies() if cookie["name"] == "sessionid")
    own, long_ago = MemberSession.objects.filter(session_key=key), timezone.now() - timedelta(minutes=20)
    own.update(seen_at=long_ago)
    with desk.page.expect_response(re.compile("/accounts/session/.idle_s=12")):
        desk.page.clock.fast_forward("00:31")
    assert own.get().seen_at == long_ago, "an open map is no use"
    desk.page.mouse.move(310, 310)
    desk.page.clock.fast_forward("00:31")
    desk.until(lambda: own.get().seen_at > long_ago + timedelta(minutes=19), what="the use of the map")


def test_a_locked_page_that_is_loaded_again_is_locked(open_desk: OpenDesk, login: Login) -> None:
    desk = open_desk()
    desk.sign_in(*login)
    desk.until_live()
    key = next(cookie["value"] for cookie in desk.page.context.cookies() if cookie["name"] == "sessionid")
    desk.lock()
    assert MemberSession.objects.get(session_key=key).locked_at is not None
    desk.page.reload()
    desk.page.get_by_role("dialog", name="This desk is locked").wait_for()
    desk.until_live()
    desk.page.get_by_role("link", name="Sign out, for somebody else").click()
    desk.page.get_by_role("button", name="Sign out").click()
    desk.page.wait_for_url(re.compile("/accounts/login/|/$"))
    assert not MemberSession.objects.filter(session_key=key).exists()
