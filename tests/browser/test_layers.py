"""The layer panel: how strongly layers are drawn, and finding a feed among many."""

import pytest

from apps.accounts.models import Origin
from apps.ingest.operations import create_source
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk
from tests.flows.story import CENTER, Story

LON, LAT = CENTER
HERE = f"/#14/{LAT}/{LON}"
AVAILABLE = "#56b4e9"


def opacity(desk: Desk) -> object:
    return desk.state()["opacity"]


@pytest.fixture
def desk(open_desk: OpenDesk, story: Story) -> Desk:
    """A map with one unit and one call on it."""
    story.sender("fixes").fix("veh-1", lon=LON, lat=LAT, call_sign="4A12", status="AVL")
    story.sender("calls_json").call("H-1", "waiting", type="Alarm", priority="1", lon=LON + 0.01, lat=LAT)
    desk = open_desk(cookie=story.cookie, path=HERE)
    desk.until_live()
    desk.until(lambda: "4A12" in desk.units() and "H-1" in desk.calls(), what="a unit and a call")
    return desk


def test_a_layer_is_drawn_fainter_by_keyboard_and_says_so(desk: Desk) -> None:
    desk.until(lambda: desk.pixels_like(AVAILABLE, within=6) > 100, what="the unit in full color")
    more = desk.page.get_by_role("button", name="Opacity of units")
    more.press("Enter")
    slider = desk.page.get_by_role("slider", name="Opacity of units")
    assert min(slider.bounding_box()["height"], more.bounding_box()["height"], more.bounding_box()["width"]) >= 24  # type: ignore[index]
    desk.page.keyboard.press("Tab")
    for _ in range(5):
        desk.page.keyboard.press("ArrowLeft")
    desk.until(lambda: opacity(desk) == {"units": 50}, what="half of the color")
    desk.until(lambda: desk.pixels_like(AVAILABLE, within=6) < 20, what="the unit drawn faintly")
    desk.assert_texts_are_readable(at_least=40)
    more.press("Enter")
    desk.until_text("rtcc-layers .faint", "50 %")
    desk.page.keyboard.press("Home")
    assert opacity(desk) == {"units": 50}, "a slider that is put away moves nothing"


def test_the_address_and_the_browser_keep_the_opacity(desk: Desk) -> None:
    desk.page.get_by_role("button", name="Opacity of calls").click()
    slider = desk.page.get_by_role("slider", name="Opacity of calls")
    box = slider.bounding_box()
    assert box
    desk.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    desk.until(lambda: opacity(desk) == {"calls": 60}, what="the middle of the slider")
    desk.until(lambda: "opacity=calls:60" in desk.page.url, what="the address")
    desk.page.goto("about:blank")
    desk.page.goto(desk.system.url + "/")
    desk.until_live()
    assert opacity(desk) == {"calls": 60}, "the browser remembers where the address says nothing"
    desk.page.goto("about:blank")
    desk.page.goto(desk.system.url + HERE)
    desk.until_live()
    assert opacity(desk) == {}, "a link shows what its sender saw"


def test_many_feeds_can_be_searched_and_few_need_no_box(desk: Desk, story: Story) -> None:
    box = desk.page.get_by_role("searchbox", name="Find a layer or feed")
    feeds = desk.page.locator("rtcc-layers .feed")
    desk.until(lambda: feeds.count() == 2, what="both feeds")
    assert box.count() == 0
    for number in range(6):
        slug, name = f"boat-{story.number}-{number}", f"Boat {number}"
        create_source(agency=story.agency, slug=slug, name=name, adapter="fixes", origin=Origin.SIMULATED)
    desk.until(lambda: feeds.count() == 8, what="eight feeds", within_s=20)
    box.fill("boat 4")
    desk.until(lambda: feeds.all_inner_texts() and "Boat 4" in feeds.first.inner_text() and feeds.count() == 1, what="the one feed")
    box.fill("zeppelin")
    desk.until_text("rtcc-layers", "No feed is called “zeppelin”.")
    desk.assert_texts_are_readable(at_least=30)
    box.press("Escape")
    desk.until(lambda: feeds.count() == 8 and box.input_value() == "", what="all feeds again")
