"""Fixes in, units on the map out."""

import json
from datetime import timedelta

import pytest

from apps.geofences.models import Presence, Transition
from apps.geofences.operations import Circle, make_fence
from apps.tracks.models import Fix, Position
from tests.flows.story import CENTER, Story, now
from tests.running import wait_until

LON, LAT = CENTER


def test_a_fix_sent_by_curl_appears_on_the_map(story: Story) -> None:
    sender = story.sender("fixes")
    with story.look() as seen:
        answer = json.loads(
            sender.curl(
                {"fixes": [{"id": "veh-1", "time": now().isoformat(), "lon": LON, "lat": LAT, "call_sign": "4A12", "status": "ENR"}]}
            )
        )
        assert answer["accepted"] == 1
        seen.until(lambda: "4A12" in seen.units(story.slug), what="unit 4A12 is drawn")
        lon, lat, status = seen.units(story.slug)["4A12"]
    assert (lon, lat) == (pytest.approx(LON, abs=1e-6), pytest.approx(LAT, abs=1e-6))
    assert status == story.agency.status_codes.get(code="ENR").number


def test_a_unit_that_moves_is_drawn_where_it_is_now(story: Story) -> None:
    sender = story.sender("fixes")
    with story.look() as seen:
        for step in range(5):
            sender.fix("veh-1", lon=LON + step * 0.001, lat=LAT, call_sign="1A1")
        seen.until(lambda: seen.units(story.slug).get("1A1", (0,))[0] == pytest.approx(LON + 0.004, abs=1e-6), what="the fifth place")
        assert seen.seen.gaps == []


def test_who_opens_the_map_later_sees_what_is_there(story: Story) -> None:
    sender = story.sender("fixes")
    sender.processed(sender.fix("veh-1", lon=LON, lat=LAT, call_sign="2B2"))
    with story.look() as seen:
        seen.until(lambda: "2B2" in seen.units(story.slug), what="a unit that was there before")
        seen.until(lambda: seen.seen.heartbeat, what="a heartbeat")
        assert seen.seen.heartbeat["counts"]["units"][str(story.agency.pk)] == 1


def test_a_late_fix_goes_to_history_only(story: Story) -> None:
    sender = story.sender("fixes")
    at = now()
    sender.processed(sender.fix("veh-1", lon=LON, lat=LAT, at=at, call_sign="3C3"))
    receipt = sender.processed(sender.fix("veh-1", lon=LON + 0.01, lat=LAT, at=at - timedelta(seconds=20)))
    assert [outcome["outcome"] for outcome in receipt["outcomes"]] == ["late"]
    assert receipt["stored"] == 1
    track = Position.objects.get(agency_id=story.agency.pk)
    assert track.geom.x == pytest.approx(LON)
    assert Fix.objects.filter(track_id=track.pk).count() == 2


def test_the_past_shows_where_a_unit_was(story: Story) -> None:
    sender = story.sender("fixes")
    first = now() - timedelta(seconds=20)
    sender.processed(sender.fix("veh-1", lon=LON, lat=LAT, at=first, call_sign="5E5"))
    sender.processed(sender.fix("veh-1", lon=LON + 0.01, lat=LAT))
    then = story.features("units", at=(first + timedelta(seconds=5)).isoformat())
    assert [unit["properties"]["unit"] for unit in then] == ["5E5"]
    assert then[0]["geometry"]["coordinates"][:2] == [pytest.approx(LON), pytest.approx(LAT)]
    assert story.features("units")[0]["geometry"]["coordinates"][0] == pytest.approx(LON + 0.01)


def test_a_unit_that_crosses_a_fence_leaves_a_transition(story: Story) -> None:
    sender = story.sender("fixes")
    fence = make_fence(agency=story.agency, name="Courthouse", area=Circle(lon=LON, lat=LAT, radius_m=200), at=now())
    for lon in (LON - 0.01, LON, LON + 0.01):
        sender.processed(sender.fix("veh-1", lon=lon, lat=LAT))
    wait_until(lambda: Transition.objects.filter(fence=fence).count() == 2, within_s=5, what="enter and exit")
    assert list(Transition.objects.filter(fence=fence).order_by("observed_at").values_list("kind", flat=True)) == ["enter", "exit"]
    assert not Presence.objects.filter(fence=fence).exists()


def test_a_fence_that_is_drawn_appears_on_open_maps(story: Story) -> None:
    with story.look() as seen:
        seen.until(lambda: seen.seen.hello, what="hello")
        make_fence(agency=story.agency, name="Parade", area=Circle(lon=LON, lat=LAT, radius_m=300), at=now())
        seen.until(lambda: [fence["properties"]["name"] for fence in seen.of("fences", story.slug)] == ["Parade"], what="the fence")


def test_a_repeated_fix_has_one_effect(story: Story) -> None:
    sender = story.sender("fixes")
    at = now()
    sender.processed(sender.fix("veh-1", lon=LON, lat=LAT, at=at))
    receipt = sender.processed(sender.fix("veh-1", lon=LON, lat=LAT, at=at))
    assert [outcome["outcome"] for outcome in receipt["outcomes"]] == ["repeated"]
    assert receipt["stored"] == 0
    assert Fix.objects.filter(track__agency=story.agency).count() == 1
