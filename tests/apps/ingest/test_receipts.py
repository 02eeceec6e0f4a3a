"""What a receipt tells, before and after the pipeline took the post."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from apps.accounts.models import Agency
from apps.ingest.models import Outcome
from tests.apps.ingest.conftest import Caller, Feed, make_feed, own_connection


def posted(caller: Caller, feed: Feed, count: int = 3) -> str:
    fixes = [{"id": f"veh-{at}", "time": datetime.now(UTC).isoformat(), "lon": -95, "lat": 29} for at in range(count)]
    return str(caller.post("cars", {"fixes": [*fixes, {"id": "x", "time": 5, "lon": 0, "lat": 0}]}, key=feed.key).body["receipt"])


def test_it_is_queued_until_the_last_row_of_the_post_is_taken(caller: Caller, fixes: Feed) -> None:
    receipt = posted(caller, fixes)
    before = caller.receipt("cars", receipt, key=fixes.key)
    assert (before.status, before.body["state"], before.body["stored"], before.body["accepted"]) == (200, "queued", 0, 3)
    with own_connection() as other:
        other.execute("DELETE FROM ingest_inbound WHERE id <> (SELECT max(id) FROM ingest_inbound)")
    assert caller.receipt("cars", receipt, key=fixes.key).body["state"] == "queued"
    with own_connection() as other:
        other.execute("DELETE FROM ingest_inbound")
    after = caller.receipt("cars", receipt, key=fixes.key).body
    assert (after["state"], after["stored"], after["source"]) == ("processed", 3, "cars")
    assert after["rejected"][0]["reason"] == "zero_island"


def test_repeated_and_conflicting_are_not_stored_and_late_is(caller: Caller, fixes: Feed) -> None:
    receipt = posted(caller, fixes)
    for index, word in enumerate(("repeated", "late", "conflicting")):
        Outcome.objects.create(post_id=UUID(receipt), index=index, outcome=word, detail=f"told as {word}")
    with own_connection() as other:
        other.execute("DELETE FROM ingest_inbound")
    told = caller.receipt("cars", receipt, key=fixes.key).body
    assert [(part["index"], part["outcome"]) for part in told["outcomes"]] == [(0, "repeated"), (1, "late"), (2, "conflicting")]
    assert told["stored"] == 1


def test_a_receipt_of_another_source_does_not_exist(caller: Caller, fixes: Feed, agency: Agency) -> None:
    other = make_feed(agency, "other", "fixes")
    receipt = posted(caller, fixes)
    assert caller.receipt("other", receipt, key=other.key).status == 404
    assert caller.receipt("cars", receipt, key=other.key).status == 404
    assert caller.receipt("cars", str(uuid4()), key=fixes.key).status == 404
    assert caller.receipt("cars", "not-a-uuid", key=fixes.key).status == 404


def test_receipts_are_ordered_by_time(caller: Caller, fixes: Feed) -> None:
    receipts = []
    for _ in range(3):
        receipts.append(posted(caller, fixes, 1))
        caller.settle()
    assert [UUID(receipt).version for receipt in receipts] == [7, 7, 7]
    assert receipts == sorted(receipts)
