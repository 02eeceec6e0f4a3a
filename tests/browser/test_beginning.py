"""The first screen: what a new agency must do, told to who can do it."""

from apps.accounts.models import Membership
from apps.accounts.operations import make_administrator, make_agency, make_member
from apps.layers.registry import names
from tests.browser.conftest import OpenDesk
from tests.flows.story import CENTER, NUMBERS, Story
from tests.live_map import sign_in

PASSWORD = "a long and unlikely phrase"


def test_an_administrator_is_led_from_nothing_to_the_first_message(open_desk: OpenDesk, story: Story) -> None:
    administrator = make_administrator(username=f"root-{story.number}", password=PASSWORD)
    desk = open_desk(cookie=sign_in(administrator), size=(1100, 700))
    desk.until_live()
    desk.until_text("rtcc-start .next", "Make your agency")
    assert desk.page.get_by_role("link", name="Make the agency").get_attribute("href") == "/admin/accounts/agency/add/"
    desk.assert_texts_are_readable(at_least=30)
    for size in ((1440, 900), (1920, 1080)):
        desk.page.set_viewport_size({"width": size[0], "height": size[1]})
        desk.assert_texts_are_readable(at_least=30)
    Membership.objects.create(member=administrator, agency=story.agency, role="administrator")
    desk.until_text("rtcc-start", f"Town {story.number} is made")
    desk.until_text("rtcc-start .next", f"make_source --agency {story.slug}")
    sender = story.sender("fixes")
    desk.until_text("rtcc-start .next", "Wait for the first message", within_s=20)
    sender.fix("veh-1", lon=CENTER[0], lat=CENTER[1], call_sign="4A12", status="AVL")
    desk.until(lambda: desk.page.locator("rtcc-start section").count() == 0, what="no more steps")
    desk.until(lambda: f"/{CENTER[1]:.2f}" in desk.page.url, what="the map at the first unit")


def test_who_has_no_role_is_told_whom_to_ask(open_desk: OpenDesk, story: Story) -> None:
    desk = open_desk(cookie=sign_in(make_member(username=f"new-{story.number}", password=PASSWORD)))
    desk.until_live()
    desk.until_text("rtcc-start", "You have no role in an agency yet")
    assert desk.page.locator("rtcc-start a").count() == 0
    assert "no access" not in desk.text("rtcc-layers")
    desk.page.get_by_role("button", name="Close").click()
    desk.until(lambda: desk.page.locator("rtcc-start section").count() == 0, what="the card put away")


def test_times_without_a_time_zone_say_so(open_desk: OpenDesk, story: Story) -> None:
    agency = make_agency(slug=f"unset-{next(NUMBERS)}", name="Nowhere", layers=names())
    member = make_member(username=f"member-of-{agency.slug}", password=PASSWORD)
    Membership.objects.create(member=member, agency=agency, role="dispatcher")
    desk = open_desk(cookie=sign_in(member))
    desk.until_live()
    desk.until_text("rtcc-top .unset", "Time zone not set")
    assert desk.text("rtcc-top .unit") == "UTC"
    desk.assert_texts_are_readable(at_least=20)
