"""Passkeys with Chromium's own virtual authenticator: added, used as the second step, alone, and over a locked desk."""

import re

from playwright.sync_api import Page

from apps.accounts import operations
from apps.accounts.models import Agency, Member, Role
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk
from tests.running import RunningSystem

PHRASE = "a long and unlikely phrase"


def plug_in(page: Page) -> None:
    """Give the browser an authenticator that knows its user, as a laptop's fingerprint reader does."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, "automaticPresenceSimulation": True}})


def sign_out(desk: Desk) -> None:
    desk.page.goto(f"{desk.system.url}/accounts/logout/")
    desk.page.get_by_role("button", name="Sign out").click()
    desk.page.goto(f"{desk.system.url}/accounts/login/")


def test_a_passkey_is_added_and_signs_in_in_every_place(open_desk: OpenDesk, system: RunningSystem) -> None:
    member: Member = operations.make_member(username="pat", password=PHRASE)
    operations.join(member=member, agency=Agency.objects.get(slug="harbor"), role=Role.DISPATCHER)
    desk = open_desk(path="/accounts/2fa/")
    plug_in(desk.page)
    desk.sign_in("pat", PHRASE)
    desk.assert_texts_are_readable(at_least=8)
    desk.picture("second-factor")
    desk.page.get_by_role("link", name="Add a passkey").click()
    desk.page.get_by_role("button", name="Add it").click()
    desk.page.get_by_role("heading", name="Recovery codes").wait_for()
    desk.assert_texts_are_readable(at_least=10)

    sign_out(desk)
    desk.page.get_by_role("button", name="Use a passkey").click()
    desk.page.wait_for_selector("rtcc-top header")
    desk.until_live()

    sign_out(desk)
    desk.sign_in("pat", PHRASE)
    desk.page.get_by_role("heading", name="Second step").wait_for()
    desk.assert_texts_are_readable(at_least=6)
    desk.picture("second-step")
    desk.page.get_by_role("button", name="Use a passkey").click()
    desk.page.wait_for_selector("rtcc-top header")
    desk.until_live()

    desk.lock()
    desk.page.reload()
    desk.page.get_by_role("dialog").get_by_role("button", name="Use a passkey").click()
    desk.until(lambda: not desk.state()["locked"], what="the desk opens")

    desk.page.goto(f"{system.url}/accounts/2fa/passkeys/")
    desk.assert_texts_are_readable(at_least=6)
    desk.page.get_by_role("link", name="Remove").click()
    desk.page.get_by_role("button", name="Remove it").click()
    desk.page.wait_for_url(re.compile("/accounts/2fa/passkeys/$"))
    assert not member.authenticator_set.exists()
