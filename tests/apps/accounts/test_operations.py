"""Agencies, members, grants and keys."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256

import pytest
import redis
from django.conf import settings
from django.core.exceptions import ValidationError

from apps.accounts import operations
from apps.accounts.epoch import EPOCH
from apps.accounts.models import Agency, ApiKey, Grant, Meaning, Role
from apps.accounts.viewer import grant_epoch, viewer_of
from tests.world import PASSWORD, make_agency, make_member

pytestmark = pytest.mark.django_db


def test_a_new_agency_has_its_profile_and_every_meaning_once() -> None:
    agency = operations.make_agency(slug="metro", name="Metro", layers=["calls"], time_zone="America/Chicago")
    assert agency.time_zone == "America/Chicago"
    assert (agency.length_unit, agency.distance_unit, agency.speed_unit) == ("ft", "mi", "mph")
    assert {code.meaning for code in agency.status_codes.all()} == set(Meaning.values)
    assert len({code.letter for code in agency.status_codes.all()}) == agency.status_codes.count() == 9
    assert list(agency.priority_codes.order_by("rank").values_list("code", flat=True)) == ["1", "2", "3", "4", "5"]


def test_a_wrong_time_zone_is_refused_and_nothing_is_left() -> None:
    with pytest.raises(operations.UnknownTimeZone, match="Mars/Base"):
        operations.make_agency(slug="metro", name="Metro", layers=["calls"], time_zone="Mars/Base")
    assert not Agency.objects.exists()


def test_who_administers_the_instance_is_let_into_an_agency() -> None:
    running, gone = (operations.make_administrator(username=name, password=PASSWORD) for name in ("running", "gone"))
    gone.is_active = False
    gone.save()
    plain = make_member(username="plain")
    agency = make_agency("metro")
    operations.let_administrators_in(agency=agency)
    operations.let_administrators_in(agency=agency)
    assert viewer_of(running.pk).agencies("calls") == [agency.pk]
    assert [member.memberships.count() for member in (running, gone, plain)] == [1, 0, 0]


@pytest.mark.parametrize("role", sorted(set(Role.values) - {Role.PARTNER}))
def test_members_see_their_own_agencys_layers_only(role: str) -> None:
    own, other = make_agency("own"), make_agency("other")
    viewer = viewer_of(make_member(own, role).pk)
    assert viewer.agencies("calls") == viewer.agencies("units") == [own.pk]
    assert not viewer.may_see("calls", other.pk)


def test_partners_see_nothing_until_it_is_granted() -> None:
    own, other = make_agency("own"), make_agency("other")
    partner = make_member(own, Role.PARTNER)
    assert viewer_of(partner.pk).rights == frozenset()
    grant = operations.give_grant(role=Role.PARTNER, holder=own, layer="calls", agency=other)
    assert viewer_of(partner.pk).agencies("calls") == [other.pk]
    operations.withdraw_grant(grant=grant)
    assert viewer_of(partner.pk).rights == frozenset()


def test_a_grant_given_twice_is_one() -> None:
    agency = make_agency()
    first, second = (operations.give_grant(role=Role.PARTNER, holder=agency, layer="calls", agency=agency) for _ in range(2))
    assert first == second
    assert Grant.objects.filter(role=Role.PARTNER).count() == 1


def test_leaving_an_agency_ends_its_rights() -> None:
    agency = make_agency()
    member = make_member(agency)
    operations.leave(membership=member.memberships.get())
    assert viewer_of(member.pk).rights == frozenset()


def test_an_inactive_member_has_no_rights() -> None:
    member = make_member(make_agency())
    member.is_active = False
    member.save()
    assert viewer_of(member.pk).rights == frozenset()


def test_a_key_is_shown_once_and_stored_hashed() -> None:
    made = operations.make_key(agency=make_agency())
    stored = ApiKey.objects.get()
    assert len(made.text) >= 43
    assert bytes(stored.digest) == sha256(made.text.encode()).digest()
    assert stored.prefix == made.text[:8]
    assert made.text not in str(vars(stored))


def test_a_revoked_key_keeps_its_first_time() -> None:
    key = operations.make_key(agency=make_agency()).key
    first, second = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    operations.revoke_key(key=key, at=first)
    operations.revoke_key(key=key, at=second)
    key.refresh_from_db()
    assert key.revoked_at == first


def test_a_weak_password_is_refused() -> None:
    with pytest.raises(ValidationError):
        operations.make_member(username="dana", password="short")


def test_an_administrator_may_use_the_admin_pages() -> None:
    member = operations.make_administrator(username="root", password=PASSWORD)
    member.refresh_from_db()
    assert member.is_staff
    assert member.is_superuser
    assert member.check_password(PASSWORD)


def test_every_write_grows_the_epoch() -> None:
    agency = make_agency()
    member = make_member()
    seen = [grant_epoch()]
    grant = operations.give_grant(role=Role.PARTNER, holder=agency, layer="calls", agency=agency)
    seen.append(grant_epoch())
    operations.withdraw_grant(grant=grant)
    seen.append(grant_epoch())
    membership = operations.join(member=member, agency=agency, role=Role.ANALYST)
    seen.append(grant_epoch())
    operations.leave(membership=membership)
    seen.append(grant_epoch())
    key = operations.make_key(agency=agency).key
    seen.append(grant_epoch())
    operations.revoke_key(key=key, at=datetime(2026, 1, 1, tzinfo=UTC))
    seen.append(grant_epoch())
    assert seen == sorted(set(seen))


@pytest.fixture
def heard() -> Iterator[redis.client.PubSub]:
    """Listens to the epoch's channel on the real Redis."""
    with redis.Redis.from_url(settings.REDIS_URL).pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(EPOCH)
        channel.get_message(timeout=2)
        yield channel


@pytest.mark.django_db(transaction=True)
def test_after_commit_the_new_epoch_goes_out(heard: redis.client.PubSub) -> None:
    operations.make_agency(slug="metro", name="Metro", layers=["calls"])
    told = set()
    while message := heard.get_message(ignore_subscribe_messages=True, timeout=1):
        told.add(int(message["data"]))
        if grant_epoch() in told:
            break
    assert grant_epoch() in told
