"""What people see change while they watch: calls, units, fences, feeds, rights."""

from apps.accounts.models import Grant
from apps.accounts.operations import withdraw_grant
from apps.geofences.operations import Circle, make_fence
from tests.browser.conftest import OpenDesk
from tests.flows.story import CENTER, Sender, Story, now

LON, LAT = CENTER
HERE = f"/#14/{LAT}/{LON}"


def send_call(sender: Sender, state: str) -> None:
    sender.call("H-1", state, type="Crash, injuries", priority="1", address="100 Main St", lon=LON, lat=LAT, units=["4A12"])


def test_a_call_that_closes_leaves_map_and_board(open_desk: OpenDesk, story: Story) -> None:
    sender = story.sender("calls_json")
    desk = open_desk(cookie=story.cookie, path=HERE)
    desk.until_live()
    desk.until_text("rtcc-board-calls", "No open calls")
    send_call(sender, "active")
    desk.until(lambda: "H-1" in desk.calls(), what="the call")
    desk.until_text("rtcc-board-calls", "Active 1")
    desk.page.locator("rtcc-board-calls").get_by_role("button", name="Crash, injuries").press("Enter")
    desk.until_text("rtcc-card", "100 Main St")
    send_call(sender, "closed")
    desk.until(lambda: not desk.calls(), what="no call")
    desk.until_text("rtcc-board-calls", "No open calls")
    desk.until_text("rtcc-card", "no longer shown")


def test_a_unit_appears_moves_and_is_found(open_desk: OpenDesk, story: Story) -> None:
    sender = story.sender("fixes")
    desk = open_desk(cookie=story.cookie, path=HERE + "&board=units")
    desk.until_live()
    desk.until_text("rtcc-board-units", "No units on the map yet")
    sender.fix("veh-1", lon=LON, lat=LAT, call_sign="4A12", status="ENR")
    desk.until(lambda: "4A12" in desk.units(), what="the unit")
    desk.until_text("rtcc-board-units tr.row", "En route")
    desk.page.keyboard.press("/")
    desk.page.get_by_role("combobox").fill("4a12")
    desk.page.keyboard.press("Enter")
    desk.until_text("rtcc-card", "4A12")
    sender.fix("veh-1", lon=LON + 0.01, lat=LAT, call_sign="4A12", status="ONS")
    moved = lambda unit: unit.get("status") == "ONS" and unit["lon"] > LON + 0.009  # noqa: E731
    desk.until(lambda: moved(desk.units().get("4A12", {})), what="the unit elsewhere")
    desk.until_text("rtcc-card", "On scene")


def test_a_fence_that_is_drawn_appears(open_desk: OpenDesk, story: Story) -> None:
    desk = open_desk(cookie=story.cookie, path=HERE)
    desk.until_live()
    before = desk.pixels_like("#4fc3a1")
    make_fence(agency=story.agency, name="Parade", area=Circle(lon=LON, lat=LAT, radius_m=400), at=now())
    desk.until(lambda: [fence["name"] for fence in desk.state()["fences"].values()] == ["Parade"], what="the fence")
    desk.until(lambda: desk.pixels_like("#4fc3a1") > before + 200, what="its line")


def test_a_withdrawn_grant_takes_the_layer_away(open_desk: OpenDesk, story: Story) -> None:
    sender = story.sender("calls_json")
    desk = open_desk(cookie=story.cookie, path=HERE)
    desk.until_live()
    send_call(sender, "active")
    desk.until(lambda: "H-1" in desk.calls(), what="the call")
    withdraw_grant(grant=Grant.objects.get(role="dispatcher", holder=story.agency, agency=story.agency, layer="calls", action="view"))
    assert desk.until(lambda: not desk.calls(), what="no call") < 2.5
    desk.until_text("rtcc-layers", "You have no access to this layer")
