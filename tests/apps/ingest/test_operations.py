"""Administrators make sources and keys."""

import io
from hashlib import sha256

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.instance import NoInstance
from apps.accounts.models import Agency, ApiKey, GrantEpoch, Instance
from apps.ingest import operations
from apps.ingest.models import Source, SourceKey
from tests.world import make_administrator

pytestmark = pytest.mark.django_db


@pytest.fixture
def metro() -> Agency:
    Instance.objects.create(id=1, kind="operational")
    return Agency.objects.create(slug="metro", name="Metro")


def make(metro: Agency, **more: str) -> Source:
    return operations.create_source(**{"agency": metro, "slug": "s", "name": "S", "adapter": "fixes", "origin": "live", **more})  # type: ignore[arg-type]


def test_a_key_is_shown_once_and_only_its_digest_is_kept(metro: Agency) -> None:
    source = make(metro)
    key = operations.issue_key(source, None)
    stored = ApiKey.objects.get()
    assert key.startswith("rtcc_")
    assert len(key) > 45
    assert bytes(stored.digest) == sha256(key.encode()).digest()
    assert SourceKey.objects.get(key=stored).source == source
    assert operations.issue_key(source, None) != key


@pytest.mark.parametrize(("kind", "origin", "may"), [
    ("operational", "live", True), ("operational", "exercise", True), ("operational", "simulated", False),
    ("operational", "replayed", False),
    ("demo", "simulated", True), ("demo", "replayed", True), ("demo", "live", False), ("demo", "exercise", False),
])  # fmt: skip
def test_an_instance_holds_only_its_own_origins(metro: Agency, kind: str, origin: str, may: bool) -> None:
    Instance.objects.update(kind=kind)
    if may:
        assert make(metro, origin=origin).origin == origin
        return
    with pytest.raises(operations.WrongOrigin, match=f"this instance is {kind}"):
        make(metro, origin=origin)
    assert Source.objects.count() == 0


def test_an_adapter_must_exist_and_the_instance_be_set_up(metro: Agency) -> None:
    with pytest.raises(operations.UnknownAdapter, match="owntracks"):
        make(metro, adapter="smoke-signals")
    Instance.objects.all().delete()
    with pytest.raises(NoInstance):
        make(metro)


def test_revoking_is_dated_once(metro: Agency) -> None:
    operations.issue_key(make(metro), None)
    key = ApiKey.objects.get()
    operations.revoke_key(key)
    first = ApiKey.objects.get().revoked_at
    operations.revoke_key(key)
    assert first is not None
    assert ApiKey.objects.get().revoked_at == first


def test_every_process_hears_of_a_changed_source(metro: Agency) -> None:
    before = GrantEpoch.objects.get_or_create(id=1)[0].epoch
    source = make(metro)
    after = GrantEpoch.objects.get().epoch
    Source.objects.filter(pk=source.pk).update(enabled=False)
    assert before < after < GrantEpoch.objects.get().epoch


def test_one_line_makes_a_source_and_prints_its_key_once(metro: Agency) -> None:
    out = io.StringIO()
    call_command(
        "make_source", "--agency", "metro", "--adapter", "arcgis", "--name", "City board", "--url", "https://gis.example.gov/x/MapServer/0",
        "--set", 'fields.number_from=["Agency","CALL_TIME"]', "--set", "fields.type=IncidentType", "--set", "poll_s=30", stdout=out,
    )  # fmt: skip
    source = Source.objects.get()
    assert (source.slug, source.origin, source.settings["poll_s"]) == ("city-board", "live", 30)
    assert source.settings["fields"] == {"number_from": ["Agency", "CALL_TIME"], "type": "IncidentType"}
    key = out.getvalue().split("key")[1].split()[0]
    assert bytes(ApiKey.objects.get().digest) == sha256(key.encode()).digest()


def test_the_agency_is_made_when_it_is_named(metro: Agency) -> None:
    words = ["--agency", "harbor", "--agency-name", "Harbor", "--time-zone", "America/Chicago", "--adapter", "fixes", "--name", "Boats"]
    call_command("make_source", *words, stdout=io.StringIO())
    assert (Source.objects.get().agency.name, Source.objects.get().slug) == ("Harbor", "boats")
    assert Agency.objects.get(slug="harbor").given_grants.exists()


def test_who_administers_the_instance_sees_an_agency_that_is_made_with_its_source(metro: Agency) -> None:
    administrator = make_administrator()
    call_command("make_source", "--agency", "x", "--agency-name", "X", "--adapter", "fixes", "--name", "A", stdout=io.StringIO())
    call_command("make_source", "--agency", "metro", "--adapter", "fixes", "--name", "B", stdout=io.StringIO())
    assert list(administrator.memberships.values_list("agency__slug", "role")) == [("x", "administrator")]


@pytest.mark.parametrize(
    ("words", "told"),
    [(["--agency", "nowhere"], "metro"), (["--agency", "x", "--agency-name", "X", "--time-zone", "Mars"], "time zone"),
     (["--origin", "simulated"], "operational"), (["--set", "novalue"], "key=value")],
)  # fmt: skip
def test_a_mistake_is_said_in_one_line(metro: Agency, words: list[str], told: str) -> None:
    usual = ["--agency", "metro", "--adapter", "fixes", "--name", "x"]
    with pytest.raises(CommandError, match=told):
        call_command("make_source", *usual, *words)
    assert Source.objects.count() == 0
