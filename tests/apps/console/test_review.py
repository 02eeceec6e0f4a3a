"""The review of the audit: who sees which entries, in plain words, unusual first, a week signed off."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client

from apps.accounts import operations
from apps.accounts.models import Agency, Member, Role
from apps.audit.acting import Acting, acting_as
from apps.audit.models import Entry, Review
from apps.audit.operations import record
from apps.console.review.sentences import PHRASES, sentence
from apps.console.review.weeks import ended_weeks, is_out_of_hours, week_of
from tests.running import ROOT
from tests.world import make_administrator, make_agency, make_instance, make_member, signed_in

pytestmark = pytest.mark.django_db
CHICAGO = ZoneInfo("America/Chicago")
LAYERS = {"units": "Units"}
NOON = "2026-03-01T12:00:00+00:00"
READ = "Dana read the layer Units as it was on Mar 1, 12:00:00 UTC (2)"
CHANGED = {"name": "CAD", "fields": {"enabled": [True, False], "name": ["C", "CAD"]}}


@pytest.fixture
def metro() -> Agency:
    make_instance()
    return make_agency()


@pytest.fixture
def reviewer(metro: Agency) -> Member:
    return make_member(metro, Role.ADMINISTRATOR, username="rev")


def wrote(act: str, *, days_ago: float = 0, **facts: Any) -> Entry:
    """Write an entry, made older as only the owner can: the review looks at weeks."""
    entry = record(act, **facts)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_kept")
        Entry.objects.filter(pk=entry.pk).update(written_at=datetime.now(UTC) - timedelta(days=days_ago))
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_kept")
    return entry


def page(asking: Member, **query: Any) -> str:
    answer = signed_in(asking).get("/audit/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_grant_reads_as_one_would_say_it(metro: Agency) -> None:
    harbor = make_agency("harbor")
    operations.give_grant(role="officer", holder=metro, layer="units", agency=harbor)
    entry = Entry.objects.filter(act="grant_given").latest("id")
    said = sentence(entry, who="Dana Ortiz", layers=LAYERS, members={})
    assert said == "Dana Ortiz gave officers of Metro the layer Units of Harbor"


@pytest.mark.parametrize(
    ("act", "facts", "said"),
    [
        ("layer_read", {"target": "layer:units", "count": 2, "detail": {"at": NOON}}, READ),
        ("refused", {"target": "GET /api/x", "count": 1}, "Dana was refused: /api/x"),
        ("refused", {"target": "GET /api/x", "count": 40}, "Dana was refused: /api/x (40 times)"),
        ("source_changed", {"detail": CHANGED}, 'Dana changed the source CAD: enabled yes → no, name "C" → "CAD"'),
        ("cut_off", {"target": "member:7"}, "Dana cut Lee Park off"),
        ("something_new", {"target": "thing:1"}, "Dana something new thing:1"),
    ],
)  # fmt: skip
def test_an_entry_is_a_sentence(act: str, facts: dict[str, Any], said: str) -> None:
    assert sentence(record(act, **facts), who="Dana", layers=LAYERS, members={7: "Lee Park"}) == said


def test_every_act_that_the_code_names_has_words_of_its_own() -> None:
    calls = re.compile(r"""(?:(?<!_)record|_tell_audit|record_reading)\(\s*"([a-z_]+)\"""")
    named = {act for file in (ROOT / "apps").rglob("*.py") for act in calls.findall(file.read_text())}
    assert len(named) > 40
    assert named - set(PHRASES) == set()


def test_an_administrator_sees_their_agency_and_its_members_and_nothing_else(metro: Agency, reviewer: Member) -> None:
    harbor = make_agency("harbor")
    stranger = make_member(harbor, username="stranger")
    record("layer_read", target="layer:units", agency_id=metro.pk, reason="ours")
    record("layer_read", target="layer:units", detail={"agencies": [metro.pk, harbor.pk]}, reason="both")
    record("layer_read", target="layer:units", agency_id=harbor.pk, reason="theirs")
    for member, reason in ((reviewer, "own member"), (stranger, "foreign member")):
        with acting_as(lambda member=member: Acting(member.pk, member.username, None, "page")):
            record("sign_in", reason=reason)
    text = page(reviewer)
    assert [word in text for word in ("Why: ours", "Why: both", "Why: own member")] == [True] * 3
    assert [word in text for word in ("Why: theirs", "Why: foreign member")] == [False] * 2
    assert signed_in(reviewer).get("/audit/", {"agency": "harbor"}).status_code == 404
    everything = page(make_administrator())
    assert all(f"Why: {word}" in everything for word in ("ours", "both", "theirs", "own member", "foreign member"))


def test_others_are_refused_and_that_is_written(metro: Agency) -> None:
    assert signed_in(make_member(metro)).get("/audit/").status_code == 404
    assert Entry.objects.get(act="refused").target == "GET /audit/"
    assert Client().get("/audit/").status_code == 302


def test_who_reads_it_is_written_first(metro: Agency, reviewer: Member) -> None:
    page(reviewer, member="dana")
    entry = Entry.objects.get(act="audit_read")
    assert (entry.member_id, entry.agency_id, entry.detail["member"]) == (reviewer.pk, metro.pk, "dana")


@pytest.mark.django_db(transaction=True)
def test_without_that_row_it_is_closed(metro: Agency, reviewer: Member) -> None:
    record("sign_in", agency_id=metro.pk, reason="seen")
    asking = signed_in(reviewer)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_unsealed RENAME TO away")
    try:
        answer = asking.get("/audit/")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO audit_unsealed")
    assert (answer.status_code, b"Why: seen" in answer.content) == (503, False)


def test_what_is_unusual_comes_first(metro: Agency, reviewer: Member) -> None:
    assert "Nothing unusual" in page(reviewer)
    for act in ("sign_in", "refused", "break_glass_opened", "name_locked"):
        record(act, agency_id=metro.pk, target=f"x:{act}")
    head = page(reviewer).split("<h2>What was done</h2>")[0]
    assert head.index("opened an emergency account") < head.index("was locked out") < head.index("was refused")
    assert "signed in" not in head


def test_pages_go_on_where_the_last_ended(metro: Agency, reviewer: Member) -> None:
    for n in range(120):
        record("sign_in", agency_id=metro.pk, target=f"n:{n:03}")
    asking, address, seen = signed_in(reviewer), "/audit/?target=n:", []
    while address:
        answer = asking.get(address)
        seen += [row["entry"].target for row in answer.context["rows"]]
        address = f"/audit/?{answer.context['next']}" if answer.context["next"] else ""
    assert seen == [f"n:{n:03}" for n in reversed(range(120))]


def test_filters_narrow_and_a_wrong_one_is_told(metro: Agency, reviewer: Member) -> None:
    with acting_as(lambda: Acting(reviewer.pk, "lee", "198.51.100.20", "api")):
        record("layer_read", target="layer:units", agency_id=metro.pk, reason="by lee")
    record("sign_in", agency_id=metro.pk, reason="by nobody")
    for query in ({"member": "lee"}, {"act": "layer_read"}, {"target": "layer:"}, {"address": "198.51.100.20"}):
        text = page(reviewer, **query)
        assert ("Why: by lee" in text, "Why: by nobody" in text) == (True, False)
    assert "a filter cannot be read" in page(reviewer, address="<script>").lower()
    assert "<script>" not in page(reviewer, address="<script>")
    assert "a filter cannot be read" in page(reviewer, before=f"{10**25}.1").lower()
    assert "a filter cannot be read" in page(reviewer, day="9999-12-31").lower()
    assert signed_in(reviewer).get("/audit/", {"week": "9999-12-31"}).status_code == 404


def test_a_week_that_ended_is_signed_off_once_it_is_looked_at(metro: Agency, reviewer: Member) -> None:
    wrote("sign_in", days_ago=15, agency_id=metro.pk)
    last = week_of(datetime.now(UTC), CHICAGO).before()
    assert "Not signed off yet" in page(reviewer)
    answer = signed_in(reviewer).post("/audit/sign-off", {"week": last.monday, "agency": "metro", "note": "all well"}, follow=True)
    assert "rev signed this week off" in answer.content.decode()
    review = Review.objects.get()
    assert (review.week, review.agency_id, review.by_id, review.note) == (last.monday, metro.pk, reviewer.pk, "all well")
    entry = Entry.objects.get(act="audit_reviewed")
    assert (entry.target, entry.reason, entry.agency_id) == (f"week:{last.monday}", "all well", metro.pk)
    assert f"week={last.monday}" not in page(reviewer).split("<h1>")[1].split('<div class="week">')[0]


def test_a_week_that_goes_on_is_not_signed_off(metro: Agency, reviewer: Member) -> None:
    now = week_of(datetime.now(UTC), CHICAGO)
    assert signed_in(reviewer).get("/audit/sign-off").headers["Location"] == "/audit/", "as who had to prove first who they are"
    answer = signed_in(reviewer).post("/audit/sign-off", {"week": now.monday, "agency": "metro"}, follow=True)
    assert "This week is not over" in answer.content.decode()
    assert not Review.objects.exists()


def test_a_broken_chain_is_on_top(metro: Agency, reviewer: Member) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO audit_chainstate (id, checked, problems) VALUES (1, 0, '[\"link 5 is missing\"]')")
    text = page(reviewer)
    assert "The audit is not whole" in text
    assert "Link 5 is missing." in text


def test_weeks_begin_at_the_agencys_midnight() -> None:
    week = week_of(datetime(2026, 11, 2, 5, 30, tzinfo=UTC), CHICAGO)  # 23:30 on Sunday, the night the clocks went back
    assert (week.monday.isoformat(), week.ends - week.begins) == ("2026-10-26", timedelta(days=7))
    assert (week.ends.astimezone(UTC) - week.begins.astimezone(UTC)) == timedelta(days=7, hours=1)
    now = datetime(2026, 11, 20, tzinfo=UTC)
    ended = ended_weeks(first=datetime(2026, 10, 28, tzinfo=UTC), now=now, zone=CHICAGO, most=8)
    assert [one.monday.isoformat() for one in ended] == ["2026-11-09", "2026-11-02", "2026-10-26"]


@pytest.mark.parametrize(("moment", "late"), [("2026-11-23T18:00", False), ("2026-11-24T03:00", True), ("2026-11-22T18:00", True)])
def test_nights_and_weekends_are_out_of_hours(moment: str, late: bool) -> None:
    assert is_out_of_hours(datetime.fromisoformat(moment).replace(tzinfo=UTC), CHICAGO) is late
