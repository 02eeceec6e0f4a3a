"""Places that people type: what was understood is said before Enter, and shown after it."""

import pytest

from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk
from tests.flows.story import Story

FOUND = "#ffffff"


@pytest.fixture
def desk(open_desk: OpenDesk, story: Story) -> Desk:
    desk = open_desk(cookie=story.cookie, path="/#10/29.5/-95.1")
    desk.until_live()
    return desk


def type_in(desk: Desk, words: str) -> None:
    desk.page.keyboard.press("Control+k")
    desk.page.get_by_role("combobox").fill(words)


def test_a_grid_reference_is_echoed_and_then_shown(desk: Desk) -> None:
    desk.page.keyboard.press("Control+k")
    desk.until_text("rtcc-command-bar .examples", "a grid reference (USNG or MGRS)")
    desk.assert_texts_are_readable(at_least=8)
    desk.page.keyboard.press("Escape")
    type_in(desk, "15rtn70859458")
    desk.until_text("rtcc-command-bar li", "15R TN 7085 9458")
    desk.until_text("rtcc-command-bar li", "Grid reference (USNG, MGRS), about 10 m")
    assert desk.state()["found"] is None
    desk.page.keyboard.press("Enter")
    desk.until(lambda: desk.state()["found"], what="the place")
    lon, lat = desk.state()["found"]["place"]
    assert (lon, lat) == (pytest.approx(-95.3698, abs=1e-4), pytest.approx(29.7604, abs=1e-4))
    desk.until(lambda: "/29.760" in desk.page.url and "/-95.369" in desk.page.url, what="the map there")
    desk.until(lambda: desk.pixels_like(FOUND, within=12) > 600, what="its mark on the map")
    desk.page.keyboard.press("Escape")
    desk.until(lambda: desk.state()["found"] is None, what="no mark")


def test_a_rough_place_is_shown_whole(desk: Desk) -> None:
    type_in(desk, "15R TN 7 9")
    desk.until_text("rtcc-command-bar li", "about 10 km")
    desk.page.keyboard.press("Enter")
    desk.until(lambda: desk.state()["found"], what="the place")
    desk.until(lambda: 10 < float(desk.page.url.split("#")[1].split("/")[0]) < 13, what="10 km on the screen")


def test_plain_numbers_say_which_way_they_were_read(desk: Desk) -> None:
    type_in(desk, "29.76, 45.37")
    hits = desk.page.locator("rtcc-command-bar li")
    desk.until(lambda: hits.count() == 2, what="both readings")
    assert [text.split("\n")[-1] for text in hits.all_inner_texts()] == [
        "Decimal degrees, latitude first, about 1 km", "Decimal degrees, longitude first, about 1 km",
    ]  # fmt: skip
    desk.page.get_by_role("combobox").fill("29 45 37 N, 95 22 11 W")
    desk.until_text("rtcc-command-bar li", "Degrees, minutes, seconds, about 30 m")
