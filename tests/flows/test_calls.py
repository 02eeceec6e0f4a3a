"""Calls in, map and board out."""

from datetime import timedelta

from apps.incidents.models import CallRevision
from tests.flows.story import CENTER, Story, now

LON, LAT = CENTER


def test_a_call_appears_on_the_map_and_changes_there(story: Story) -> None:
    sender = story.sender("calls_json")
    with story.look() as seen:
        sender.call("H-1", "waiting", type="Alarm", priority="3", lon=LON, lat=LAT)
        seen.until(lambda: "H-1" in seen.calls(story.slug), what="the call")
        sender.call("H-1", "active", units=["4A12"])
        seen.until(lambda: seen.calls(story.slug)["H-1"]["units"] == ["4A12"], what="its unit")
        shown = seen.calls(story.slug)["H-1"]
    assert (shown["state"], shown["type"], shown["rank"]) == ("active", "Alarm", 2)
    assert shown["geometry"]["coordinates"] == [LON, LAT]


def test_a_call_that_closes_leaves_the_map(story: Story) -> None:
    sender = story.sender("calls_json")
    with story.look() as seen:
        sender.call("H-1", "active", lon=LON, lat=LAT)
        sender.call("H-2", "active", lon=LON, lat=LAT)
        seen.until(lambda: set(seen.calls(story.slug)) == {"H-1", "H-2"}, what="two calls")
        receipt = sender.call("H-1", "closed")
        seen.until(lambda: set(seen.calls(story.slug)) == {"H-2"}, what="one call left")
    sender.processed(receipt)
    assert [call["properties"]["number"] for call in story.features("calls")] == ["H-2"]
    assert CallRevision.objects.filter(call__agency=story.agency, call__number="H-1").count() == 2


def test_unlocated_calls_are_counted_and_on_the_board(story: Story) -> None:
    sender = story.sender("calls_json")
    with story.look() as seen:
        sender.call("H-1", "waiting", address="somewhere on Main St")
        sender.call("H-2", "waiting", lon=0, lat=0)
        sender.call("H-3", "waiting", lon=LON, lat=LAT)
        seen.until(lambda: len(seen.calls(story.slug)) == 3 and seen.unlocated(story.slug) == 2, what="three calls, two of them unlocated")
        assert seen.calls(story.slug)["H-2"]["geometry"] is None
    board = story.api("/api/boards/calls")
    numbers = [call["properties"]["number"] for call in board["calls"]]
    assert set(numbers[:2]) == {"H-1", "H-2"}
    assert numbers[2:] == ["H-3"]


def test_the_past_shows_the_calls_that_were_open(story: Story) -> None:
    sender = story.sender("calls_json")
    earlier = now() - timedelta(minutes=10)
    body = {"number": "H-1", "lon": LON, "lat": LAT}
    sender.post({"calls": [body | {"time": earlier.isoformat(), "state": "active"}]})
    sender.processed(sender.call("H-1", "closed"))
    assert [call["properties"]["number"] for call in story.features("calls", at=(earlier + timedelta(minutes=1)).isoformat())] == ["H-1"]
    assert story.features("calls", at=(earlier - timedelta(minutes=1)).isoformat()) == []
    assert story.features("calls") == []
    assert story.features("calls", at=(earlier + timedelta(minutes=1)).isoformat(), known=(earlier).isoformat()) == []
