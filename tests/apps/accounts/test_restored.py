"""A database that was brought back begins a new generation, and nobody is signed in."""

from django.core.management import call_command
from django.test import Client

from apps.accounts.instance import read_instance
from apps.accounts.models import Instance, Member, MemberSession
from apps.accounts.restored import settle_restored
from apps.accounts.viewer import grant_epoch
from apps.audit.models import Entry

MOMENT = "2026-11-26 20:00:00+00"


def test_every_session_ends_and_no_cache_knows_the_generation(db: None) -> None:
    Instance.objects.create(kind="operational", generation=7)
    Client().force_login(Member.objects.create_user(username="ann"), backend="django.contrib.auth.backends.ModelBackend")
    assert settle_restored(reached=MOMENT) == 1
    assert not MemberSession.objects.exists()
    first, epoch = read_instance().generation, grant_epoch()
    assert min(first, epoch) > 1_000_000
    settle_restored(reached=MOMENT)
    assert read_instance().generation > first
    assert grant_epoch() > epoch


def test_the_audit_says_to_which_moment(db: None) -> None:
    Instance.objects.create(kind="demo")
    call_command("after_restore", "--reached", MOMENT)
    entry = Entry.objects.get(act="database_restored")
    assert entry.target == f"moment:{MOMENT}"
    assert entry.detail == {"generation": read_instance().generation}


def test_a_database_that_was_never_set_up_is_left_as_it_is(db: None) -> None:
    assert settle_restored(reached=MOMENT) == 0
    assert Entry.objects.get().detail == {"generation": None}
