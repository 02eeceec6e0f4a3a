"""Nothing stale may look live: a feed that stops, a server that freezes, a server that dies."""

import signal
import time

from apps.accounts.models import Agency, Origin
from apps.demo.city import SLUG
from apps.demo.roads import lng_lat
from apps.ingest.operations import create_source, issue_key
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk
from tests.flows.story import CENTER, Sender, Story
from tests.running import RunningSystem

LON, LAT = CENTER
BOATS = {"Marine 1": (2150, -2450), "Marine 2": (2500, -2150), "Marine 3": (1500, -2300)}
GRAY = "rgb(174, 185, 195)"
LINK_LOST = r"WebSocket connection|ERR_CONNECTION|Failed to load resource"


def test_a_unit_that_stops_reporting_turns_late_then_hollow(open_desk: OpenDesk, story: Story) -> None:
    sender = story.sender("fixes", interval_s=1)
    desk = open_desk(cookie=story.cookie, path=f"/#14/{LAT}/{LON}")
    desk.until_live()
    sender.fix("veh-1", lon=LON, lat=LAT, call_sign="4A12", status="AVL")
    looks: list[str] = []

    def is_hollow() -> bool:
        looks.extend([desk.units()["4A12"]["freshness"]] if "4A12" in desk.units() else [])
        return looks[-1:] == ["hollow"]

    desk.until(is_hollow, what="a hollow unit")
    assert list(dict.fromkeys(looks)) in (["fresh", "late", "hollow"], ["late", "hollow"])
    layer = desk.page.locator("rtcc-layers label", has_text="Units")
    desk.until(lambda: "no update since" in layer.inner_text(), what="since when the layer is stale")
    assert layer.locator(".name").evaluate("(name) => getComputedStyle(name).color") == GRAY
    desk.assert_texts_are_readable(at_least=40)


def test_a_stale_feed_stands_out_among_fresh_ones(city: Desk, system: RunningSystem) -> None:
    boats = create_source(
        agency=Agency.objects.get(slug=SLUG), slug="marine", name="Marine units", adapter="fixes", origin=Origin.SIMULATED, interval_s=1
    )
    sender = Sender(system, boats, issue_key(boats, None))
    for name, place in BOATS.items():
        lon, lat = lng_lat(*place)
        sender.fix(name, lon=lon, lat=lat, call_sign=name, status="AVL", heading_deg=70, kind="boat")
    city.until(lambda: all(name in city.units() for name in BOATS), what="the boats")
    city.until(lambda: all(city.units()[name]["freshness"] == "hollow" for name in BOATS), what="hollow boats")
    assert "fresh" in [unit["freshness"] for unit in city.units().values()]
    feed = city.page.locator("rtcc-layers .feed", has_text="Marine units")
    city.until(lambda: "hollow" in (feed.get_attribute("class") or ""), what="the feed as hollow")
    assert "no update since" in feed.inner_text()
    city.page.locator("#tab-units").click()
    city.assert_texts_are_readable(at_least=60)
    city.picture("stale-feed")


def not_live(desk: Desk) -> bool:
    return "NOT LIVE since" in desk.text("rtcc-band")


def test_a_frozen_server_is_told_and_the_page_recovers(city: Desk, system: RunningSystem) -> None:
    frozen_at = time.monotonic()
    system.kill("web", signal.SIGSTOP)
    try:
        city.until(lambda: city.liveness() == "delayed", what="the indicator", within_s=10)
        assert time.monotonic() - frozen_at > 3.5
        city.until_text("rtcc-top .link", "Delayed", within_s=5)
        assert not not_live(city)
        city.until(lambda: not_live(city), what="the band", within_s=10)
        assert 8.5 < time.monotonic() - frozen_at < 15
        city.until_text("rtcc-top .link", "Not live", within_s=5)
        assert city.page.title().startswith("NOT LIVE")
        assert "grayscale" in city.page.locator("#map").evaluate("(map) => getComputedStyle(map).filter")
        city.assert_texts_are_readable(at_least=60)
        city.picture("not-live")
    finally:
        system.kill("web", signal.SIGCONT)
    city.until(lambda: city.liveness() == "live" and not not_live(city), what="live again")


def test_a_killed_server_is_told_and_the_page_connects_again(city: Desk, system: RunningSystem) -> None:
    city.expect(LINK_LOST)
    before = city.state()["link"]["reconnects"]
    system.kill("web", signal.SIGKILL)
    city.until(lambda: city.liveness() == "delayed", what="the indicator", within_s=10)
    system.start("web")
    city.until(lambda: city.liveness() == "live", what="live again", within_s=40)
    assert city.state()["link"]["reconnects"] > before
    place = city.units()
    city.until(lambda: any(unit["lon"] != place[name]["lon"] for name, unit in city.units().items() if name in place), what="moving units")
