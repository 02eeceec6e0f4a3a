"""A sender posts; what is answered is what is stored."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon

from apps.accounts.models import Agency, ApiKey, Instance
from apps.geo.shards import shard_of
from apps.ingest import batcher, operations
from apps.ingest.models import Outcome, Post, Reject, Source, SourceHealth
from tests.apps.ingest.conftest import Caller, Feed, kill_sessions, make_feed, own_connection, queued

NOW = datetime.now(UTC)


def fix(identity: str = "veh-1", **more: object) -> dict[str, object]:
    return {"id": identity, "time": datetime.now(UTC).isoformat(), "lon": -95.36, "lat": 29.76, **more}


def test_it_answers_after_the_commit_and_the_queue_holds_the_fixes_by_shard(caller: Caller, fixes: Feed) -> None:
    answer = caller.post("cars", {"fixes": [fix("a"), fix("b"), fix("a", lon=-95.0)]}, key=fixes.key)
    assert (answer.status, answer.body["accepted"], answer.body["rejected"]) == (202, 3, [])
    found = {shard: [(at, item.identity) for at, item in zip(*parcel_of(parcel), strict=True)] for shard, parcel in queued()}
    shards = {name: shard_of(f"{fixes.source.pk}:{name}") for name in "ab"}
    assert found == {shards["a"]: [(0, "a"), (2, "a")], shards["b"]: [(1, "b")]}
    post = Post.objects.get(id=answer.body["receipt"])
    assert (post.accepted, post.rejected, b'"fixes"' in bytes(post.raw)) == (3, 0, True)


def parcel_of(parcel: object) -> tuple[list[int], list[object]]:
    return parcel.indexes, parcel.observations  # type: ignore[attr-defined]


def test_bad_parts_are_told_at_once_and_kept_and_the_good_ones_go_through(caller: Caller, fixes: Feed) -> None:
    now = datetime.now(UTC)
    ahead, old = now + timedelta(minutes=5), now - timedelta(days=400)
    answer = caller.post(
        "cars",
        {"fixes": [fix(), fix(lon=0, lat=0), fix(time=ahead.isoformat()), fix(time=old.isoformat()), {"id": "x"}, fix(lat=97), fix("")]},
        key=fixes.key,
    )
    reasons = {part["index"]: (part["reason"], part["quarantined"]) for part in answer.body["rejected"]}
    assert answer.body["accepted"] == 1
    assert reasons == {
        1: ("zero_island", False), 2: ("future", True), 3: ("too_old", False), 4: ("missing_time", False), 5: ("out_of_range", False),
        6: ("missing_identity", False),
    }  # fmt: skip
    kept = Reject.objects.get(reason="zero_island")
    assert str(kept.post_id) == answer.body["receipt"]
    assert bytes(kept.part).startswith(b'{"id":"veh-1"')
    assert Reject.objects.get(reason="future").quarantined


def test_an_unreadable_body_is_a_400_and_is_kept(caller: Caller, fixes: Feed) -> None:
    answer = caller.post("cars", b"\xff\x00 no json", key=fixes.key)
    assert (answer.status, answer.body["error"]) == (400, "unparsable")
    reject = Reject.objects.get()
    assert (reject.index, bytes(reject.part), str(reject.post_id)) == (None, b"\xff\x00 no json", answer.body["receipt"])
    assert queued() == []


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_number_that_is_none_costs_only_its_own_fix(caller: Caller, fixes: Feed, number: bytes) -> None:
    good = b'{"id":"a","time":%d,"lon":-95,"lat":29}' % NOW.timestamp()
    answer = caller.post("cars", b'{"fixes":[%s,%s]}' % (good, good.replace(b"-95", number)), key=fixes.key)
    assert (answer.status, answer.body["accepted"]) == (202, 1)
    assert [part["reason"] for part in answer.body["rejected"]] == ["not_a_number"]


def test_keys_come_by_bearer_basic_or_query_and_are_never_kept_with_the_post(caller: Caller, agency: Agency) -> None:
    from base64 import b64encode

    phone = make_feed(agency, "phones", "osmand")
    query = b"id=p1&lat=29.7&lon=-95.3&timestamp=%d" % NOW.timestamp()
    basic = "Basic " + b64encode(f"any:{phone.key}".encode()).decode()
    by_query = caller.call("GET", "/ingest/phones", query=query + b"&key=" + phone.key.encode(), content_type="")
    by_basic = caller.call("POST", "/ingest/phones", query=query, content_type="", headers={"authorization": basic})
    assert (by_query.status, by_basic.status) == (202, 202)
    assert all(phone.key.encode() not in bytes(post.raw) for post in Post.objects.all())
    assert len(queued()) == 2


def test_who_has_no_right_key_gets_401_and_a_missing_source_or_one_of_another_key_404(caller: Caller, fixes: Feed, agency: Agency) -> None:
    other = make_feed(agency, "other", "fixes")
    statuses = [
        caller.post("cars", {"fixes": []}, key="").status,
        caller.post("cars", {"fixes": []}, key="rtcc_wrong").status,
        caller.post("cars", {"fixes": []}, key=other.key).status,
        caller.post("nowhere", {"fixes": []}, key=other.key).status,
        caller.call("POST", "/ingest/", key=other.key).status,
    ]
    assert statuses == [401, 401, 404, 404, 404]
    assert Post.objects.count() == 0


def test_a_new_key_works_at_once_and_a_revoked_one_no_longer(caller: Caller, fixes: Feed) -> None:
    assert caller.post("cars", {"fixes": [fix()]}, key=fixes.key).status == 202
    second = operations.issue_key(fixes.source, None)
    assert caller.post("cars", {"fixes": [fix()]}, key=second).status == 202
    operations.revoke_key(ApiKey.objects.order_by("id")[0])
    caller.settle()
    assert caller.post("cars", {"fixes": [fix()]}, key=fixes.key).status == 401
    assert caller.post("cars", {"fixes": [fix()]}, key=second).status == 202


@pytest.mark.parametrize(("kind", "origin"), [("demo", "live"), ("operational", "simulated"), ("demo", "exercise")])
def test_a_source_of_another_world_stores_nothing(caller: Caller, fixes: Feed, kind: str, origin: str) -> None:
    Instance.objects.update(kind=kind)
    Source.objects.update(origin=origin)
    answer = caller.post("cars", {"fixes": [fix()]}, key=fixes.key)
    assert (answer.status, answer.body["error"]) == (409, "origin")
    assert (Post.objects.count(), Reject.objects.count(), queued()) == (0, 0, [])


def test_a_header_that_names_another_origin_stores_nothing(caller: Caller, fixes: Feed) -> None:
    answer = caller.post("cars", {"fixes": [fix()]}, key=fixes.key, headers={"x-rtcc-origin": "simulated"})
    assert answer.status == 409
    assert caller.post("cars", {"fixes": [fix()]}, key=fixes.key, headers={"x-rtcc-origin": "live"}).status == 202
    assert Post.objects.count() == 1


def test_a_body_of_over_4_mib_is_refused_while_it_comes(caller: Caller, fixes: Feed) -> None:
    pieces = [b"x" * 2**20] * 100
    answer = caller.run(caller.called("POST", "/ingest/cars", pieces, key=fixes.key))
    announced = caller.call("POST", "/ingest/cars", b"", key=fixes.key, headers={"content-length": str(5 * 2**20)})
    assert (answer.status, announced.status) == (413, 413)
    assert Post.objects.count() == 0


def test_another_content_type_and_method_are_refused(caller: Caller, fixes: Feed) -> None:
    assert caller.post("cars", b"<x/>", key=fixes.key, content_type="text/xml").status == 415
    assert caller.call("GET", "/ingest/cars", key=fixes.key).status == 405
    assert caller.post("cars", {"fixes": [fix()]}, key=fixes.key, content_type="application/json; charset=utf-8").status == 202


def test_more_than_the_quota_is_429_with_a_time_to_wait(caller: Caller, fixes: Feed) -> None:
    Source.objects.update(observations_per_s=10)
    batch = {"fixes": [fix(str(at)) for at in range(100)]}
    answers = [caller.post("cars", batch, key=fixes.key) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 429]
    assert 1 <= int(answers[1].headers["retry-after"]) <= 6


def test_a_queue_that_nobody_empties_is_429(caller: Caller, fixes: Feed) -> None:
    assert caller.post("cars", {"fixes": [fix()]}, key=fixes.key).status == 202
    with own_connection() as other:
        other.execute("UPDATE ingest_inbound SET queued_at = queued_at - interval '10 minutes'")
    caller.settle()
    full = caller.post("cars", {"fixes": [fix()]}, key=fixes.key)
    assert (full.status, full.body["error"], "retry-after" in full.headers) == (429, "queue_full", True)
    with own_connection() as other:
        other.execute("DELETE FROM ingest_inbound")
    caller.settle()
    assert caller.post("cars", {"fixes": [fix()]}, key=fixes.key).status == 202


def test_the_door_recovers_when_its_connections_are_killed(caller: Caller, fixes: Feed) -> None:
    assert caller.post("cars", {"fixes": [fix()]}, key=fixes.key).status == 202
    kill_sessions("rtcc front door")
    statuses = [caller.post("cars", {"fixes": [fix()]}, key=fixes.key).status for _ in range(4)]
    assert set(statuses) <= {202, 503}
    assert statuses[-1] == 202
    assert Post.objects.count() == 1 + statuses.count(202)


def test_a_database_that_does_not_answer_is_a_503_and_is_used_again_afterwards(
    caller: Caller, fixes: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batcher, "PATIENCE_S", 0.5)
    assert caller.post("cars", {"fixes": [fix()]}, key=fixes.key).status == 202
    with own_connection() as other, other.transaction():
        other.execute("LOCK TABLE ingest_post IN ACCESS EXCLUSIVE MODE")
        silent = caller.post("cars", {"fixes": [fix("lost")]}, key=fixes.key)
        assert (silent.status, silent.body["error"], silent.headers["retry-after"]) == (503, "database_away", "1")
    assert caller.post("cars", {"fixes": [fix("again")]}, key=fixes.key).status == 202
    assert "again" in {item.identity for _, parcel in queued() for item in parcel.observations}


def test_one_post_that_cannot_be_stored_harms_no_other(caller: Caller, fixes: Feed) -> None:
    with own_connection() as other:
        other.execute("ALTER TABLE ingest_post ADD CONSTRAINT for_the_test CHECK (position('poison'::bytea IN raw) = 0)")
    try:
        with ThreadPoolExecutor(8) as pool:
            names = [f"veh-{at}" for at in range(40)] + ["poison"]
            statuses = list(pool.map(lambda name: caller.post("cars", {"fixes": [fix(name)]}, key=fixes.key).status, names))
    finally:
        with own_connection() as other:
            other.execute("ALTER TABLE ingest_post DROP CONSTRAINT for_the_test")
    assert statuses == [202] * 40 + [500]
    assert Post.objects.count() == 40


def test_posts_of_many_senders_share_commits_and_none_is_lost(caller: Caller, fixes: Feed) -> None:
    def send(at: int) -> str:
        return str(caller.post("cars", {"fixes": [fix(f"veh-{at}"), fix(lon=0, lat=0)]}, key=fixes.key).body["receipt"])

    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(send, range(200)))
    assert len(set(receipts)) == 200
    assert {item.identity for _, parcel in queued() for item in parcel.observations} == {f"veh-{at}" for at in range(200)}
    assert (Post.objects.filter(id__in=receipts).count(), Reject.objects.count()) == (200, 200)


def test_a_locked_health_row_holds_no_post_up_and_is_written_later(caller: Caller, fixes: Feed) -> None:
    SourceHealth.objects.create(source=fixes.source)
    with own_connection() as other, other.transaction():
        other.execute("SELECT * FROM ingest_sourcehealth FOR UPDATE")
        assert caller.post("cars", {"fixes": [fix(), fix(lon=0, lat=0)]}, key=fixes.key).status == 202
        caller.settle()
        assert SourceHealth.objects.get().messages == 0
    caller.settle()
    health = SourceHealth.objects.get()
    assert (health.messages, health.observations, health.rejects) == (1, 1, 1)
    assert health.last_error.startswith("zero_island")
    assert health.last_message_at is not None


def test_swapped_axes_are_told_when_the_agency_has_an_area(caller: Caller, fixes: Feed) -> None:
    Agency.objects.update(area=MultiPolygon(Polygon.from_bbox((-96, 29, -95, 30)), srid=4326))
    answer = caller.post("cars", {"fixes": [fix(), fix(lon=29.76, lat=-95.36), fix(lon=29.5, lat=-60)]}, key=fixes.key)
    assert [(part["index"], part["reason"]) for part in answer.body["rejected"]] == [(1, "swapped_axes")]
    Agency.objects.update(area=MultiPolygon(Polygon.from_bbox((24, 59, 26, 61)), srid=4326))
    caller.settle()
    answer = caller.post("cars", {"fixes": [fix(lon=25, lat=60), fix(lon=60, lat=25), fix(lon=10, lat=10)]}, key=fixes.key)
    assert [(part["index"], part["reason"]) for part in answer.body["rejected"]] == [(1, "swapped_axes")]


def test_what_is_ignored_is_told_by_the_receipt(caller: Caller, agency: Agency) -> None:
    phones = make_feed(agency, "phones", "owntracks")
    answer = caller.post("phones", {"_type": "lwt", "tst": 1}, key=phones.key)
    assert (answer.status, answer.body["accepted"]) == (202, 1)
    receipt = caller.receipt("phones", answer.body["receipt"], key=phones.key).body
    assert (receipt["state"], receipt["stored"], receipt["outcomes"][0]["outcome"]) == ("processed", 0, "ignored")
    assert Outcome.objects.count() == 1


def test_a_call_with_a_bad_place_is_taken_unlocated_and_says_so(caller: Caller, agency: Agency) -> None:
    cad = make_feed(agency, "cad", "calls_json")
    call = {"number": "H-1", "time": datetime.now(UTC).isoformat(), "state": "waiting"}
    calls = [call | {"lon": 0, "lat": 0}, call | {"lon": "x", "lat": 29}, call, call | {"lon": -95, "lat": 29}]
    answer = caller.post("cad", {"calls": calls}, key=cad.key)
    assert (answer.body["accepted"], answer.body["rejected"]) == (4, [])
    assert [note["index"] for note in answer.body["notes"]] == [0, 1]
    places = [item.lon for _, parcel in queued() for item in parcel.observations]
    assert places == [None, None, None, -95]
    assert caller.receipt("cad", answer.body["receipt"], key=cad.key).body["notes"] == answer.body["notes"]


def test_a_sim_clock_is_the_measure_in_a_demo(caller: Caller, fixes: Feed) -> None:
    t0 = datetime(2021, 3, 1, tzinfo=UTC)
    Instance.objects.update(kind="demo", clock_t0=t0, clock_real0=datetime.now(UTC), clock_speed=1)
    Source.objects.update(origin="replayed")
    answer = caller.post("cars", {"fixes": [fix(time=t0.isoformat()), fix()]}, key=fixes.key)
    assert (answer.body["accepted"], answer.body["rejected"][0]["reason"]) == (1, "future")
    assert Post.objects.get().received_at - t0 < timedelta(minutes=1)


def test_a_steadily_wrong_clock_is_corrected_unless_the_instance_runs_faster_than_real_time(caller: Caller, fixes: Feed) -> None:
    Instance.objects.update(kind="demo", clock_t0=NOW, clock_real0=NOW, clock_speed=1)
    Source.objects.update(origin="simulated")

    def ahead() -> dict[str, object]:
        return caller.post("cars", {"fixes": [fix(time=(datetime.now(UTC) + timedelta(seconds=61)).isoformat())]}, key=fixes.key).body  # type: ignore[no-any-return]

    assert [ahead()["accepted"] for _ in range(21)] == [0] * 19 + [1, 1]
    assert [item.clock_offset_ms for _, parcel in queued() for item in parcel.observations] == [pytest.approx(-61_000, abs=1500)] * 2
    Instance.objects.update(generation=2)
    caller.settle()
    assert ahead()["accepted"] == 0
    Instance.objects.update(clock_speed=1.001)
    caller.settle()
    assert [ahead()["accepted"] for _ in range(21)] == [0] * 21
