"""The pages of retention: who may open them, what they say, and that a rule is made in two steps."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Role
from apps.audit.models import Entry
from apps.retention import operations, proof
from apps.retention.models import Hold, Rule
from tests import world
from tests.apps.retention.aged import DAY, Town, rows, turn
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db


def chief(town: Town) -> Client:
    return world.signed_in(town.chief)


def test_only_administrators_come_in(town: Town) -> None:
    officer = world.make_member(town.agency, Role.OFFICER, "officer")
    assert world.signed_in(officer).get("/retention/").status_code == 403
    assert Client().get("/retention/").status_code == 302
    assert chief(town).get("/retention/").status_code == 200


def test_who_has_no_second_factor_administers_nothing(town: Town) -> None:
    """The pages are closed, and so are the acts for who comes by another way."""
    Authenticator.objects.filter(user=town.chief).delete()
    assert chief(town).get("/retention/").headers["Location"] == "/accounts/2fa/"
    entry = Entry.objects.get(act="administration_refused")
    assert (entry.member_id, entry.target, entry.reason) == (town.chief.pk, "path:/retention/", "no second factor")
    assert operations.administered(town.chief) == []
    with pytest.raises(operations.NotAllowed):
        town.rule("posts", 3 * DAY)
    root = world.make_administrator()
    assert operations.administers_all(root)
    Authenticator.objects.filter(user=root).delete()
    with pytest.raises(operations.NotAllowed, match="of the whole server"):
        operations.require_administrator(root, None)


def test_who_is_refused_leaves_a_trace(town: Town) -> None:
    officer = world.make_member(town.agency, Role.OFFICER, "officer")
    assert world.signed_in(officer).post("/retention/rules/new", {}).status_code == 403
    entry = Entry.objects.get(act="refused")
    assert (entry.member_id, entry.target, entry.detail) == (officer.pk, "POST /retention/rules/new", {"status": 403})


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous")
def test_an_act_wants_a_proof_of_the_last_minutes_and_leads_back(town: Town) -> None:
    now = timezone.now()
    hold = town.hold("calls", at=now, hold_until=now + 90 * DAY)
    operations.confirm_hold(hold=hold, by=town.deputy, at=now)
    rule = {"data_class": "posts", "agency": town.agency.pk, "keep": "3 days", "legal_source": "Order 7", "confirmed": "yes"}
    address = f"/retention/holds/{hold.pk}"
    acts = {"/retention/rules/new": rule, f"{address}/release": {"reason": "over"}, f"{address}/rows.jsonl": {}}
    client = chief(town)
    with time_machine.travel(now + timedelta(minutes=16), tick=False):
        for path, form in acts.items():
            asked = client.post(path, form).headers["Location"]
            assert asked == f"/accounts/reauthenticate/?{urlencode({'next': path})}"
        assert not Entry.objects.filter(act="legal_hold_read").exists()
        assert not Rule.objects.filter(agency=town.agency).exists()
        assert Hold.objects.get().released_at is None
        assert "What you sent was not taken" in client.get(asked).content.decode()
        proved = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": f"{address}/rows.jsonl"})
        back = client.get(proved.headers["Location"], follow=True)
        assert back.redirect_chain == [(address, 302)]
        assert "Download the copies" in back.content.decode()
        assert client.post(f"{address}/rows.jsonl").status_code == 200


def test_it_says_what_is_overdue_and_whether_somebody_looks(town: Town) -> None:
    town.post(timezone.now() - 31 * DAY)
    page = chief(town).get("/retention/").content.decode()
    assert "<strong>3</strong> rows older than their rule" in page, "the message, its reject, and what waits of it"
    assert "Nobody has looked yet." in page
    turn(timezone.now())
    page = chief(town).get("/retention/").content.decode()
    assert "<strong>0</strong> rows older than their rule" in page
    assert "rows removed" in page


def test_a_rule_says_first_what_it_removes(town: Town) -> None:
    for age in (2, 2, 5):
        town.post(timezone.now() - age * DAY)
    form = {"data_class": "posts", "agency": town.agency.pk, "keep": "3 days", "legal_source": "Order 7"}
    page = chief(town).post("/retention/rules/new", form).content.decode()
    assert "<strong>1</strong> row of 1 day" in page
    assert not Rule.objects.filter(agency=town.agency).exists()
    assert chief(town).post("/retention/rules/new", form | {"confirmed": "yes"}).status_code == 302
    turn(timezone.now())
    assert rows("ingest_post") == 2
    entry = Entry.objects.get(act="retention_rule_made", agency_id=town.agency.pk)
    assert (entry.member_id, entry.reason, entry.detail["keep_s"]) == (town.chief.pk, "Order 7", 259_200)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"keep": "3 moons"}, "is no duration"),
        ({"keep": "1 hour"}, "kept at least 1 days"),
        ({"legal_source": ""}, "This field is required"),
        ({"valid_from": "2001-01-01T00:00"}, "cannot have begun before it is made"),
        ({"agency": ""}, "This field is required"),
        ({"data_class": "sessions"}, "are of no agency"),
    ],
)
def test_it_says_what_is_wrong_with_a_rule(town: Town, wrong: dict[str, str], says: str) -> None:
    form = {"data_class": "posts", "agency": town.agency.pk, "keep": "3 days", "legal_source": "Order 7"} | wrong
    answer = chief(town).post("/retention/rules/new", form)
    assert answer.status_code == 400
    assert says in answer.content.decode()


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous")
def test_a_hold_goes_through_two_people_and_out_as_lines(town: Town) -> None:
    town.call("H-1", timezone.now() - DAY)
    form = {
        "case_number": "26-77", "reason": "subpoena", "agency": town.agency.pk, "data_classes": ["calls"], "identity": "H-1",
        "starts_at": "2020-01-01T00:00", "hold_until": "2999-01-01T00:00",
    }  # fmt: skip
    address = chief(town).post("/retention/holds/new", form)["Location"]
    assert chief(town).post(f"{address}/confirm").status_code == 403, "who asked cannot confirm"
    assert Entry.objects.get(act="refused").target == f"POST {address}/confirm"
    assert chief(town).post(f"{address}/rows.jsonl").status_code == 409, "not confirmed"
    deputy = world.signed_in(town.deputy)
    assert deputy.post(f"{address}/confirm").status_code == 302
    head, *lines = [json.loads(line) for line in b"".join(deputy.post(f"{address}/rows.jsonl")).splitlines()]
    assert head["case_number"] == "26-77"
    assert {line["table"] for line in lines} == {"incidents_call", "incidents_callrevision"}
    assert len(lines) == head["rows"] == 3
    assert "a name" in {line["row"]["narrative"] for line in lines}
    entry = Entry.objects.get(act="legal_hold_read")
    assert (entry.member_id, entry.count, entry.agency_id) == (town.deputy.pk, 3, town.agency.pk)
    assert deputy.post(f"{address}/extend", {"until": "2999-06-01T00:00", "reason": "appeal"}).status_code == 302
    assert deputy.post(f"{address}/release", {"reason": "closed"}).status_code == 302
    assert "No copy is left" not in deputy.get(address).content.decode()
    turn(timezone.now())
    assert "No copy is left" in deputy.get(address).content.decode()


def test_another_agencys_administrator_finds_no_hold(town: Town) -> None:
    hold = town.hold("calls", at=timezone.now(), hold_until=timezone.now() + DAY)
    other = Town("lakeside")
    assert world.signed_in(other.chief).get(f"/retention/holds/{hold.pk}").status_code == 404
    assert world.signed_in(other.chief).post(f"/retention/holds/{hold.pk}/confirm").status_code == 404
    assert Hold.objects.get().confirmed_at is None
    form = {"data_class": "posts", "agency": town.agency.pk, "keep": "3 days", "legal_source": "Order 7", "confirmed": "yes"}
    assert world.signed_in(other.chief).post("/retention/rules/new", form).status_code == 400


def test_a_days_proof_has_a_page(town: Town) -> None:
    town.post(timezone.now() - 31 * DAY)
    turn(timezone.now())
    day = timezone.now().date()
    proof.close_day(day, at=timezone.now(), real=timezone.now(), process="test")
    page = chief(town).get(f"/retention/proofs/1/{day}").content.decode()
    assert "Messages as they came" in page
    assert "No line of any proof was changed" in page
    assert chief(town).get("/retention/proofs/1/2001-01-01").status_code == 404
