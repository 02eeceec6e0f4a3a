"""The faults, each a few lines: what is done before the load, what strikes under it, what is put right afterwards."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4
from zlib import crc32

import msgspec

from tests.faults.http import Poster
from tests.faults.ledger import AckedFix, Ledger
from tests.faults.load import as_json
from tests.faults.system import System, wait_until

FROZEN_S = 3.0
KEPT = "SELECT 1 FROM ingest_reject WHERE reason = 'set_aside' AND convert_from(part, 'UTF8') LIKE %s"
QUEUE = """
    INSERT INTO ingest_inbound (shard, source_id, post_id, received_us, count, parcel) VALUES (%s, %s, %s, %s, %s, %s)
"""
NOTHING: frozenset[str] = frozenset()
Step = Callable[[System], object]


def nothing(system: System) -> None:
    """Most scenarios need no preparation."""


@dataclass(frozen=True)
class Scenario:
    """`strike` returns the identities whose fixes must end up set aside."""

    name: str
    strike: Callable[[System, Ledger], frozenset[str]]
    before: Step = nothing
    after: Step = nothing


def fault(hurt: Step) -> Callable[[System, Ledger], frozenset[str]]:
    def strike(system: System, ledger: Ledger) -> frozenset[str]:
        hurt(system)
        return NOTHING

    return strike


def kill_web(system: System) -> None:
    system.kill("web")
    time.sleep(0.3)
    system.start("web")
    system.wait_web()


def kill_pipeline(system: System) -> None:
    """Twice, the second time while it may still be taking its shards. It is started again at once."""
    system.kill("pipeline")
    time.sleep(0.5)
    system.kill("pipeline")
    time.sleep(1.0)


def freeze(name: str) -> Step:
    return lambda system: system.freeze(name, FROZEN_S)


def kill_postgres(system: System) -> None:
    system.kill_postgres()
    time.sleep(0.3)
    system.start_postgres()
    system.wait_web()


def kill_redis(system: System) -> None:
    system.kill_redis()
    time.sleep(1.0)
    system.start_redis()


def hurt(*words: str) -> tuple[Step, Step]:
    """A hurt pipeline in place of the plain one, and the way back."""

    def before(system: System) -> None:
        system.order(pipeline_hurt=list(words))
        time.sleep(0.2)
        wait_until(lambda: list(system.owners().values()) == [64], within_s=30, what="the hurt pipeline owns all shards")

    return before, plain_again


def plain_again(system: System) -> None:
    system.order(pipeline=[])


def send_killer(system: System, ledger: Ledger) -> frozenset[str]:
    """One fix whose processing ends the process, between good ones; the supervisor starts it again each time."""
    killer, fixes = f"{ledger.prefix}killer", []
    for place in range(5):
        identity = killer if place == 2 else f"{ledger.prefix}beside-{place}"
        fixes.append(AckedFix("north", identity, system.now_us() // 1_000 * 1_000, -95.36, 29.76, 3.0))
    send_at_once(system, ledger, fixes)
    wait_until(lambda: system.rows(KEPT, [f'%"{killer}"%']), within_s=40, what="the killer is set aside", every_s=0.1)
    return frozenset({killer})


def send_at_once(system: System, ledger: Ledger, fixes: list[AckedFix]) -> None:
    poster = Poster(system.instance.port)
    asyncio.run(poster.until_acknowledged("north-gps", system.staged["keys"]["north-gps"], {"fixes": [as_json(fix) for fix in fixes]}))
    ledger.fixes += fixes


def queue_poison(system: System, ledger: Ledger) -> frozenset[str]:
    """Rows that a faulty adapter might queue: a kind of device that no column holds, alone and between good ones."""
    source = system.rows("SELECT id FROM ingest_source WHERE slug = 'north-gps'")[0][0]
    poisons = set()
    for row in range(3):
        same_shard = [name for number in range(4000) if shard(source, name := f"{ledger.prefix}p{row}-{number}") == row][:9]
        us = system.now_us() // 1_000 * 1_000
        said = [["f", name, us, -95.36, 29.76, 3.0] for name in same_shard]
        said[4] += [None] * 6 + ["x" * 60]
        poisons.add(same_shard[4])
        parcel = msgspec.msgpack.encode([list(range(9)), said])
        system.rows(QUEUE, [row, source, uuid4(), us, 9, parcel])
        ledger.fixes += [AckedFix("north", name, us, -95.36, 29.76, 3.0) for name in same_shard]
    return frozenset(poisons)


def shard(source: int, identity: str) -> int:
    return crc32(f"{source}:{identity}".encode()) % 64


def before_midnight(system: System) -> None:
    """The day ends in a moment, and Redis is dead."""
    system.kill_redis()
    system.set_clock(system.next_midnight() - timedelta(seconds=2.8))
    time.sleep(1.3)


def before_missing_day(system: System) -> None:
    """The day that begins in a moment has no partition, whatever the pipeline believes."""
    before_midnight(system)
    system.rows(f"DROP TABLE tracks_fix_{system.next_midnight():%Y_%m_%d}")


def pass_midnight(system: System) -> None:
    day = system.now().date()
    wait_until(lambda: system.now().date() > day, within_s=5, what="midnight")
    time.sleep(0.5)


def freeze_owner(system: System, ledger: Ledger) -> frozenset[str]:
    """Two pipelines; one is frozen for longer than the watchdog allows. The other takes over, then both share again."""
    system.order(pipeline=[], pipeline_2=["--stalled-after", "2"])
    wait_until(lambda: sorted(system.owners().values()) == [32, 32], within_s=30, what="two pipelines share the shards")
    pid = system.pid("pipeline")
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: list(system.owners().values()) == [64], within_s=30, what="the living one took over")
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: sorted(system.owners().values()) == [32, 32], within_s=30, what="both share again")
    return NOTHING


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("calm", fault(nothing)),
        Scenario("kill-web", fault(kill_web)),
        Scenario("freeze-web", fault(freeze("web"))),
        Scenario("kill-pipeline", fault(kill_pipeline)),
        Scenario("freeze-pipeline", fault(freeze("pipeline"))),
        Scenario("kill-postgres", fault(kill_postgres)),
        Scenario("freeze-postgres", fault(freeze("postgres"))),
        Scenario("kill-redis", fault(kill_redis)),
        Scenario("freeze-redis", fault(freeze("redis"))),
        Scenario("drop-hints", fault(lambda system: time.sleep(1)), *hurt("--hints", "drop")),
        Scenario("swap-hints", fault(lambda system: time.sleep(1)), *hurt("--hints", "swap")),
        Scenario("midnight-without-redis", fault(pass_midnight), before_midnight, System.start_redis),
        Scenario("midnight-without-partition", fault(pass_midnight), before_missing_day, System.start_redis),
        Scenario("a-row-that-kills", send_killer, *hurt("--killer", "killer")),
        Scenario("a-row-of-poison", queue_poison),
        Scenario("freeze-one-of-two-owners", freeze_owner, after=plain_again),
    )
}
