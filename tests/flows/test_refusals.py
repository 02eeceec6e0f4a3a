"""What the front door says of bad input, at once and by receipt; and who may see what comes out."""

import time
from datetime import timedelta

from apps.accounts.models import Grant, Origin
from apps.accounts.operations import withdraw_grant
from apps.ingest.models import Post, Reject, Source
from apps.ingest.operations import issue_key
from apps.tracks.models import Fix, Track
from tests.flows.story import CENTER, Sender, Story, now, pool

LON, LAT = CENTER


def test_bad_fixes_are_told_at_once(story: Story) -> None:
    sender = story.sender("fixes")
    good = {"id": "veh-1", "time": now().isoformat(), "lon": LON, "lat": LAT}
    far = {"time": (now() + timedelta(minutes=5)).isoformat()}, {"time": (now() - timedelta(days=400)).isoformat()}
    receipt = sender.post({"fixes": [good, "?", good | {"lon": 0, "lat": 0}, good | far[0], good | far[1], good | {"lat": 97}]})
    assert receipt["accepted"] == 1
    reasons = [(reject["index"], reject["reason"]) for reject in receipt["rejected"]]
    assert reasons == [(1, "unparsable"), (2, "zero_island"), (3, "future"), (4, "too_old"), (5, "out_of_range")]
    sender.processed(receipt)
    assert Fix.objects.filter(track__agency=story.agency).count() == 1
    assert Reject.objects.filter(source=sender.source).count() == 5


def test_a_conflicting_fix_is_told_by_the_receipt_and_changes_nothing(story: Story) -> None:
    sender = story.sender("fixes")
    at = now()
    sender.processed(sender.fix("veh-1", lon=LON, lat=LAT, at=at))
    receipt = sender.processed(sender.fix("veh-1", lon=LON + 0.5, lat=LAT, at=at))
    assert [outcome["outcome"] for outcome in receipt["outcomes"]] == ["conflicting"]
    assert [fix.geom.x for fix in Fix.objects.filter(track__agency=story.agency)] == [LON]


def test_a_live_source_in_a_demonstration_stores_nothing(story: Story) -> None:
    source = Source.objects.create(agency=story.agency, slug=f"live-{story.number}", name="live", adapter="fixes", origin=Origin.LIVE)
    sender = Sender(story.system, source, issue_key(source, None))
    body = b'{"fixes": [{"id": "veh-1", "time": %d, "lon": -95.36, "lat": 29.76}]}' % now().timestamp()
    answer = pool.request("POST", sender.url, body=body, headers=sender.headers())
    assert answer.status == 409
    assert not Track.objects.filter(agency=story.agency).exists()
    assert not Post.objects.filter(source=source, accepted__gt=0).exists()


def test_a_wrong_key_is_refused_and_stores_nothing(story: Story) -> None:
    sender = story.sender("fixes")
    other = Sender(story.system, sender.source, "rtcc_not-a-key")
    answer = pool.request("POST", other.url, body=b'{"fixes": []}', headers=other.headers())
    assert answer.status == 401
    assert not Post.objects.filter(source=sender.source).exists()


def test_a_withdrawn_grant_takes_the_layer_off_an_open_map_within_a_second(story: Story) -> None:
    sender = story.sender("calls_json")
    with story.look() as seen:
        sender.call("H-1", "active", lon=LON, lat=LAT)
        seen.until(lambda: "H-1" in seen.calls(story.slug), what="the call")
        withdraw_grant(grant=Grant.objects.get(role="dispatcher", layer="calls", holder=story.agency))
        committed = time.monotonic()
        seen.until(lambda: not seen.calls(story.slug), what="no calls any more", within_s=3)
        assert time.monotonic() - committed < 1.0
        sender.call("H-2", "active", lon=LON, lat=LAT)
        time.sleep(1)
        assert seen.calls(story.slug) == {}
    answer = pool.request("GET", f"{story.system.url}/api/layers/calls/features", headers={"Cookie": story.cookie})
    assert answer.status == 404


def test_a_partner_sees_nothing_that_was_not_given(story: Story) -> None:
    other = Story(story.system)
    story.sender("calls_json").call("H-1", "active", lon=LON, lat=LAT)
    with other.look() as seen:
        seen.until(lambda: seen.seen.heartbeat, what="a heartbeat")
        assert [agency["slug"] for agency in seen.seen.hello["agencies"]] == [other.slug]
        assert seen.calls(story.slug) == {}
    answer = pool.request("GET", f"{story.system.url}/api/layers/calls/features?agency={story.slug}", headers={"Cookie": other.cookie})
    assert answer.status == 404
