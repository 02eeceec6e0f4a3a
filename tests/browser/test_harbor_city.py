"""Harbor City on the map: what a newcomer sees after signing in."""

from tests.browser.desk import Desk

AVAILABLE, FENCE, FRAME = "#56b4e9", "#4fc3a1", "#e69f00"


def test_units_move_among_calls_fences_and_boundaries(city: Desk) -> None:
    before = city.units()
    moved = lambda: [name for name, unit in city.units().items() if name in before and unit["lon"] != before[name]["lon"]]  # noqa: E731
    city.until(lambda: len(moved()) >= 10, what="ten units at other places")
    state = city.state()
    assert "Stadium" in [fence["name"] for fence in state["fences"].values()]
    assert len(state["boundaries"]) >= 4
    assert {unit["origin"] for unit in state["units"].values()} == {"simulated"}
    city.until(lambda: city.pixels_like(AVAILABLE) > 500, what="the symbols of available units")
    city.until(lambda: city.pixels_like(FENCE) > 200, what="the lines of fences")
    city.assert_texts_are_readable(at_least=60)
    city.picture("map")


def test_the_map_says_that_it_is_simulated(city: Desk) -> None:
    frame = city.page.locator("rtcc-frame")
    city.until_text("rtcc-frame", "SIMULATED — not real events")
    stage, hatch = city.page.locator("#stage").bounding_box(), frame.locator(".hatch").bounding_box()
    assert hatch == stage
    city.until(lambda: city.pixels_like(FRAME) > 10_000, what="the colored hatch around the map")
    assert city.text("rtcc-top .origin") == "SIMULATED"


def test_a_call_that_is_chosen_on_the_board_shows_its_card(city: Desk) -> None:
    active = lambda: [number for number, call in city.calls().items() if call["units"] and not call["unlocated"]]  # noqa: E731
    city.until(active, what="a call with units on it", within_s=40)
    number = active()[0]
    city.page.locator("rtcc-board-calls tr.row", has_text=number).locator("button").press("Enter")
    city.until_text("rtcc-card", f"Call {number}")
    told = city.text("rtcc-card")
    assert {"Priority", "Address", "Received", "Units", "SIMULATED"} <= set(told.split("\n"))
    assert city.state()["selection"] == {"layer": "calls", "id": city.calls()[number]["id"]}
    city.page.get_by_role("button", name="Center").click()
    city.page.wait_for_timeout(1500)
    city.assert_texts_are_readable(at_least=60)
    city.picture("selected-call")


def test_other_windows_are_readable_too(city: Desk) -> None:
    for width, height in ((1280, 720), (1024, 768), (1440, 900)):
        city.page.set_viewport_size({"width": width, "height": height})
        city.page.wait_for_timeout(300)
        city.assert_texts_are_readable(at_least=30)
