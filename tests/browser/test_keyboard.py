"""Everything by keyboard, and the boards as the map's twin."""

from itertools import takewhile

from playwright.sync_api import Page

from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk
from tests.flows.story import CENTER, Story

FOCUSED = """
() => {
  let at = document.activeElement;
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const isRing = (style) => (style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== "none";
  const isSeen = [getComputedStyle(at), getComputedStyle(at, "::after")].some(isRing);
  return { tag: at.tagName, name: at.getAttribute("aria-label") || at.textContent || at.className, isSeen };
}
"""


def tab(page: Page) -> dict[str, object]:
    page.keyboard.press("Tab")
    return dict(page.evaluate(FOCUSED))


def test_a_question_mark_lists_the_keys_and_escape_closes(city: Desk) -> None:
    city.page.keyboard.press("?")
    dialog = city.page.get_by_role("dialog", name="Keyboard")
    city.until_text("rtcc-keys", "Follow the selected unit")
    city.assert_texts_are_readable(at_least=40)
    city.page.keyboard.press("Escape")
    city.until(lambda: not dialog.is_visible(), what="no dialog")


    def next_call() -> bool:
        city.page.keyboard.press("n")
        return "Call " in city.text("rtcc-card")

    city.until(next_call, what="a call's card")
    city.page.keyboard.press("Escape")
    assert city.state()["selection"] is None
    city.page.keyboard.press("g")
    assert city.state()["hidden"] == ["fences"]
    city.page.keyboard.press("g")
    assert city.state()["hidden"] == []


def test_the_command_bar_finds_and_is_readable(city: Desk) -> None:
    city.page.keyboard.press("Control+k")
    city.page.get_by_role("combobox").fill("stad")
    city.until_text("rtcc-command-bar li", "Stadium")
    city.assert_texts_are_readable(at_least=2)
    city.page.keyboard.press("Enter")
    city.until_text("rtcc-card", "Stadium")
    city.page.keyboard.press("Control+k")
    city.page.get_by_role("combobox").fill("no such thing")
    city.until_text("rtcc-command-bar", "Nothing found")
    city.assert_texts_are_readable(at_least=1)


def test_the_focus_is_seen_wherever_tab_goes(open_desk: OpenDesk, story: Story) -> None:
    story.sender("calls_json").call("H-1", "waiting", type="Alarm", lon=CENTER[0], lat=CENTER[1])
    desk = open_desk(cookie=story.cookie)
    desk.until_live()
    desk.until_text("rtcc-board-calls", "Alarm")
    stops = list(takewhile(lambda stop: stop["tag"] != "BODY", (tab(desk.page) for _ in range(30))))
    assert [(stop["tag"], stop["name"]) for stop in stops if not stop["isSeen"]] == []
    names = " | ".join(str(stop["name"]) for stop in stops)
    for wanted in ("Find a unit", "Sound", "Keys", "Sign out", "Show units on the map", "Calls", "Alarm"):
        assert wanted in names


def test_the_boards_work_without_a_mouse_or_the_map(city: Desk) -> None:
    city.page.keyboard.press("w")
    board = city.page.locator("rtcc-board-units")
    city.until(lambda: board.locator("tr.row").count() >= 20, what="the units board")
    city.assert_texts_are_readable(at_least=60)
    first, second = board.locator(".pick").nth(0), board.locator(".pick").nth(1)
    first.focus()
    city.page.keyboard.press("ArrowDown")
    assert second.evaluate("(row) => row.getRootNode().activeElement === row")
    city.page.keyboard.press("Enter")
    city.until_text("rtcc-card", "Last seen")
    chosen = city.state()["units"][str(city.state()["selection"]["id"])]
    city.until_text("rtcc-card h2", chosen["unit"])
    city.page.keyboard.press("q")
    city.until(lambda: city.page.locator("rtcc-board-calls tr.row").count() >= 4, what="the calls board")
    city.until_text("rtcc-side footer", "Nothing here dispatches")
