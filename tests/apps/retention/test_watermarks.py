"""What had been removed does not come back with a restored backup: the file outside of the database says how far all was gone."""

import json
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.models import Instance
from apps.retention import copying, operations, watermarks
from apps.retention.management.commands import retention as command
from apps.retention.models import HeldRow, Hold
from tests.apps.retention.aged import DAY, NOW, Town, allow, refuse, rows, turn

pytestmark = pytest.mark.django_db


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "retention-purged.jsonl").read_text().splitlines()]


def test_a_turn_writes_how_far_all_is_gone(town: Town, tmp_path: Path) -> None:
    town.rule("positions", 10 * DAY)
    turn()
    found = {(line["class"], line["agency"]): line for line in lines(tmp_path)}
    assert found["positions", "metro"]["before"] == (NOW - 10 * DAY).isoformat()
    assert found["positions", None]["before"] == (NOW - 90 * DAY).isoformat()
    assert found["posts", "metro"]["before"] == (NOW - 10 * DAY).isoformat(), "no longer than what is inside"
    assert {line["generation"] for line in found.values()} == {1}
    assert (tmp_path / "retention-purged.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_turn_that_came_to_no_end_writes_nothing(town: Town, tmp_path: Path) -> None:
    turn(budget_s=0)
    assert not (tmp_path / "retention-purged.jsonl").exists()


def test_a_class_that_fails_holds_up_neither_others_nor_holds(town: Town, tmp_path: Path) -> None:
    turn()
    town.call("old", NOW - 1095 * DAY)
    town.post(NOW - 30 * DAY)
    hold = town.hold("calls")
    operations.release_hold(hold=hold, reason="dismissed", by=town.deputy, at=NOW)
    refuse("incidents_call")
    done = turn(NOW + DAY)
    assert (set(done.failed), done.finished) == ({"calls"}, False)
    assert rows("ingest_post") == rows("retention_heldrow") == 0
    assert before(tmp_path, "calls") == NOW - 1095 * DAY, "as before"
    assert before(tmp_path, "posts") == NOW - 29 * DAY
    assert [line["hold"] for line in lines(tmp_path) if "hold" in line] == [str(hold.pk)]
    allow("incidents_call")
    assert turn(NOW + DAY).finished
    assert before(tmp_path, "calls") == NOW - 1094 * DAY


def before(folder: Path, name: str) -> datetime:
    """How far a class of the agency is gone, as the file says."""
    [found] = [line["before"] for line in lines(folder) if (line.get("class"), line.get("agency")) == (name, "metro")]
    return datetime.fromisoformat(found)


def test_until_done_ends_with_what_is_refused(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "WAIT_S", 0)
    now = timezone.now()
    town.call("old", now - 1100 * DAY)
    town.post(now - 40 * DAY)
    refuse("incidents_call")
    out = StringIO()
    with pytest.raises(CommandError, match="not removed: calls: it is evidence"):
        call_command("retention", "--now", "--until-done", stdout=out, stderr=out)
    assert out.getvalue().count("calls: it is evidence") == command.TRIES
    assert rows("ingest_post") == 0
    allow("incidents_call")
    call_command("retention", "--now", "--until-done", stdout=out)
    assert rows("incidents_call") == 0


def test_after_a_restore_rows_that_had_gone_go_again_though_their_rule_is_not_there(town: Town) -> None:
    """The backup is older than the rule that removed them."""
    marks = watermarks.blank()
    marks.reach(("posts", "metro"), timezone.now() - 5 * DAY)
    marks.write(timezone.now())
    town.post(timezone.now() - 6 * DAY)
    town.post(timezone.now() - 4 * DAY)
    call_command("retention", "--now", stdout=StringIO())
    assert rows("ingest_post") == 2, "an ordinary turn follows the rules alone"
    out = StringIO()
    call_command("retention", "--now", "--until-done", stdout=out)
    assert rows("ingest_post") == 1
    assert "nothing older than its rule is left" in out.getvalue()


def test_after_a_restore_a_released_hold_is_released_again(town: Town) -> None:
    town.call("C", timezone.now() - DAY)
    now = timezone.now()
    hold = town.hold("calls", at=now, hold_until=now + DAY)
    operations.release_hold(hold=hold, reason="dismissed", by=town.chief, at=now)
    turn(now)
    Hold.objects.filter(pk=hold.pk).update(released_at=None, released_why="")
    copying.copy_at_once(hold, at=now)
    assert HeldRow.objects.exists()
    call_command("retention", "--now", "--until-done", stdout=StringIO())
    assert not HeldRow.objects.exists()
    assert "before the backup was restored" in Hold.objects.get().released_why


def test_another_story_is_left_alone(town: Town) -> None:
    """A demonstration that was begun anew: its clock shows another year."""
    marks = watermarks.blank()
    marks.reach(("posts", "metro"), timezone.now())
    marks.write(timezone.now())
    Instance.objects.update(generation=2)
    town.post(timezone.now() - DAY)
    call_command("retention", "--now", "--until-done", stdout=StringIO())
    assert rows("ingest_post") == 1


def test_what_another_instance_on_this_machine_removed_says_nothing_of_ours(town: Town, tmp_path: Path) -> None:
    """A restore in place of another instance has joined the files, and given all lines the new generation."""
    theirs = watermarks.blank()
    theirs.instance = (timezone.now() - 90 * DAY).isoformat()
    theirs.reach(("posts", "metro"), timezone.now())
    hold = town.hold("posts", at=timezone.now(), hold_until=timezone.now() + DAY)
    theirs.released[hold.pk] = timezone.now()
    theirs.write(timezone.now())
    town.post(timezone.now() - DAY)
    call_command("retention", "--now", "--until-done", stdout=StringIO())
    assert rows("ingest_post") == 1
    assert Hold.objects.get().released_at is None
    assert {line["instance"] for line in lines(tmp_path)} == {watermarks.blank().instance}


def test_a_line_that_names_no_instance_is_ours(town: Town, tmp_path: Path) -> None:
    line = {"class": "posts", "agency": "metro", "before": timezone.now().isoformat(), "at": timezone.now().isoformat(), "generation": 1}
    (tmp_path / "retention-purged.jsonl").write_text(json.dumps(line))
    town.post(timezone.now() - DAY)
    call_command("retention", "--now", "--until-done", stdout=StringIO())
    assert rows("ingest_post") == 0


def test_a_file_that_cannot_be_read_stops_it(town: Town, tmp_path: Path) -> None:
    (tmp_path / "retention-purged.jsonl").write_text('{"class": "posts"\n')
    with pytest.raises(watermarks.Unreadable, match=r"line 1 of retention-purged\.jsonl"):
        turn()


def test_the_command_shows_rules_and_what_is_due(town: Town) -> None:
    town.rule("posts", 3 * DAY, at=timezone.now())
    town.post(timezone.now() - 4 * DAY)
    out = StringIO()
    call_command("retention", stdout=out)
    assert "Messages as they came: 30 days, default of RTCC Geo; due now: 1" in out.getvalue()
    assert "  metro: 3 days, Records schedule 4.2" in out.getvalue()
    assert "It has not run yet." in out.getvalue()
