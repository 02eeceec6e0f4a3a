"""An observation that ends its process is found by what is written down before each attempt."""

import time
from collections.abc import Iterator

import pytest

from apps.accounts.models import Agency
from apps.pipeline import running
from apps.pipeline.batch import Batch
from apps.pipeline.owner import KILLED_ITS_PROCESS, Owner, open_owner
from tests.apps.pipeline.feeding import Feed, fix


class ProcessEnded(BaseException):
    """Stands for a process that is gone in the middle of a batch."""


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> None:
    decode, *rest = running.STAGES

    def ending(batch: Batch) -> None:
        decode(batch)
        if any(said.identity.startswith("killer") for said in batch.said):
            raise ProcessEnded

    monkeypatch.setattr(running, "STAGES", (ending, *rest))


@pytest.fixture
def lives(agency: Agency) -> Iterator[list[Owner]]:
    started: list[Owner] = []
    yield started
    for owner in started:
        owner.connection.close()


def live(lives: list[Owner], feed: Feed) -> bool:
    """One life of the process: it ends as a killed one does, or has emptied the queue."""
    owner = open_owner()
    lives.append(owner)
    try:
        owner._balance()
        for _ in range(40):
            owner._run_together()
            owner._run_apart()
        return not feed.rows("SELECT 1 FROM ingest_inbound")
    except ProcessEnded:
        return False
    finally:
        pid = owner.connection.info.backend_pid
        owner.connection.close()
        while feed.rows("SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid):
            time.sleep(0.01)


@pytest.mark.parametrize("killers", [1, 2])
def test_the_killer_is_set_aside_and_everything_else_stored(feed: Feed, lives: list[Owner], deadly: None, killers: int) -> None:
    """Without names written down before each attempt, the process ends at every start, for ever; so it did with two
    killers in two shards, when finding the first acquitted all others.
    """
    said = [fix(f"v{number}", 0) for number in range(20)]
    for number in range(killers):
        said.insert(7 + number, fix(f"killer-{number}", 0))
    post = feed.put(*said)
    ended = 0
    while not live(lives, feed):
        ended += 1
        assert ended < 14, "the process ends again and again"
    assert feed.outcomes(post) == {7 + number: "set_aside" for number in range(killers)}
    assert len(feed.stored()) == 20
    assert {row[0] for row in feed.rows("SELECT detail FROM ingest_reject")} == {KILLED_ITS_PROCESS}


def test_a_process_that_is_killed_between_good_batches_suspects_nobody(feed: Feed, lives: list[Owner]) -> None:
    for second in range(5):
        feed.put(*(fix(f"v{number}", second) for number in range(64)))
        assert live(lives, feed)
        assert not lives[-1].suspicion.apart
    assert feed.rows("SELECT count(*) FROM ingest_reject") == [(0,)]


def test_shards_that_run_well_are_forgiven(feed: Feed, lives: list[Owner], deadly: None) -> None:
    feed.put(fix("killer", 0))
    while not live(lives, feed):
        feed.put(*(fix(f"v{number}", len(lives)) for number in range(200)))
    assert lives[-1].suspicion.apart == set()
    assert feed.rows("SELECT count(*) FROM pipeline_shardstate WHERE strikes > 0 OR trying_id IS NOT NULL") == [(0,)]
