"""An act and its audit row commit together."""

import getpass

import pytest
from django.db import transaction

from apps.audit.acting import Acting, acting_as, at_the_command_line
from apps.audit.models import Entry
from apps.audit.operations import record

pytestmark = pytest.mark.django_db


def test_a_row_says_who_acted_and_from_where() -> None:
    with acting_as(lambda: Acting(7, "dana", "192.0.2.9", "page")):
        record("grant_given", target="grant:3", agency_id=2, count=1, reason="mutual aid")
    entry = Entry.objects.get()
    assert (entry.member_id, entry.member_name, entry.address, entry.road) == (7, "dana", "192.0.2.9", "page")
    assert (entry.act, entry.target, entry.agency_id, entry.count, entry.reason) == ("grant_given", "grant:3", 2, 1, "mutual aid")
    assert entry.written_at is not None


def test_an_act_that_fails_leaves_no_row() -> None:
    def fail() -> None:
        with transaction.atomic():
            record("grant_given")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not Entry.objects.exists()


def test_a_command_is_run_by_an_account_of_the_machine() -> None:
    with acting_as(at_the_command_line):
        record("source_made")
    entry = Entry.objects.get()
    assert (entry.member_id, entry.member_name, entry.road) == (None, getpass.getuser(), "command")


def test_outside_of_a_request_a_process_acts() -> None:
    record("key_revoked", name="nobody")
    entry = Entry.objects.get()
    assert (entry.member_id, entry.member_name, entry.road) == (None, "nobody", "process")
