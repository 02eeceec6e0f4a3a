"""Changing layers: revisions in commit order, one lock order, and a hint after commit."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction

from apps.accounts.models import Agency
from apps.layers import hints
from apps.layers.hints import HINTS, Hint, LayerChange
from apps.layers.models import LayerRevision
from apps.layers.revisions import publishing
from tests.world import make_agency

ROUNDS = 15


def heads() -> dict[tuple[str, str], int]:
    return {(row.layer, row.agency.slug): row.rev for row in LayerRevision.objects.select_related("agency")}


@pytest.fixture
def heard() -> Iterator[Any]:
    """Returns the next hint about a layer of these tests, or None after a while; other servers may share this Redis."""
    with redis.Redis.from_url(settings.REDIS_URL).pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(HINTS)
        channel.get_message(timeout=2)

        def next_hint(timeout: float = 2) -> Hint | None:
            deadline = time.monotonic() + timeout
            while time.monotonic() < deadline:
                message = channel.get_message(ignore_subscribe_messages=True, timeout=0.05)
                hint = hints.read(message["data"]) if message else None
                if hint and all(change.layer.startswith("tested ") for change in hint.layers):
                    return hint
            return None

        yield next_hint


@pytest.mark.django_db
def test_a_touched_layer_gets_the_next_revision_and_writes_see_it() -> None:
    agency = make_agency()
    seen: list[int] = []
    for _ in range(2):
        with publishing() as publication:
            publication.touch("fences", agency.pk, seen.append)
            publication.touch("fences", agency.pk, seen.append)
            assert seen in ([], [1, 1]), "writes come at the end"
    assert seen == [1, 1, 2, 2]
    assert heads() == {("fences", "metro"): 2}


@pytest.mark.django_db
def test_nothing_touched_changes_nothing() -> None:
    with publishing():
        make_agency()
    assert heads() == {}


@pytest.mark.django_db(transaction=True)
def test_after_commit_a_hint_tells_from_which_revision_to_which(heard: Any) -> None:
    agency = make_agency()
    with publishing() as publication:
        publication.touch("tested fences", agency.pk)
        publication.touch("tested calls", agency.pk)
    hint = heard()
    assert sorted(change.layer for change in hint.layers) == ["tested calls", "tested fences"]
    assert {(change.agency_id, change.prev, change.rev, change.records) for change in hint.layers} == {(agency.pk, 0, 1, None)}


@pytest.mark.django_db(transaction=True)
def test_what_fails_changes_nothing_and_tells_nothing(heard: Any) -> None:
    agency = make_agency()

    def fail(rev: int) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError), publishing() as publication:
        publication.touch("tested fences", agency.pk, fail)
    assert heads() == {}
    assert heard(timeout=0.3) is None


@pytest.mark.django_db(transaction=True)
def test_operations_on_the_same_layers_in_any_order_neither_deadlock_nor_lose_a_revision() -> None:
    agencies = [make_agency("a"), make_agency("b")]
    failures: list[BaseException] = []
    seen: list[tuple[str, int, int]] = []

    def work(order: list[Agency], layers: list[str]) -> None:
        try:
            for _ in range(ROUNDS):
                with publishing() as publication:
                    for agency in order:
                        for layer in layers:
                            publication.touch(layer, agency.pk, lambda rev, key=(layer, agency.pk): seen.append((*key, rev)))
        except BaseException as error:
            failures.append(error)
            raise
        finally:
            connection.close()

    plans = [(agencies, ["calls", "fences"]), (agencies[::-1], ["fences", "calls"])]
    threads = [threading.Thread(target=work, args=plan) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(heads().values()) == {2 * ROUNDS}
    assert len(set(seen)) == len(seen) == 4 * 2 * ROUNDS


@pytest.mark.django_db(transaction=True)
def test_a_second_writer_waits_for_the_first_to_commit() -> None:
    agency = make_agency()
    order: list[str] = []
    holding, started = threading.Event(), threading.Event()

    def second() -> None:
        holding.wait(5)
        started.set()
        with publishing() as publication:
            publication.touch("calls", agency.pk, lambda rev: order.append(f"second {rev}"))
        connection.close()

    thread = threading.Thread(target=second)
    thread.start()
    with transaction.atomic():
        with publishing() as publication:
            publication.touch("calls", agency.pk, lambda rev: order.append(f"first {rev}"))
        holding.set()
        started.wait(5)
        thread.join(0.3)
        assert thread.is_alive(), "the revision's row is locked until commit"
    thread.join(5)
    assert order == ["first 1", "second 2"]


def test_a_hint_is_read_as_it_was_written() -> None:
    hint = Hint([LayerChange("calls", 1, 4, 5, [(7, b"{}"), (8, None)]), LayerChange("units", 1, 1, 2, b"\x01")], [(10, 2)])
    assert hints.read(hints.encoder.encode(hint)) == hint


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x93\x01\x02\x03"])
def test_what_is_no_hint_is_an_error_to_its_reader(payload: bytes) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        hints.read(payload)
