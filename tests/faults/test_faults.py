"""Whatever is killed, frozen, lost or poisoned: what was acknowledged is there once, and every screen shows it.

Under 2,000 fixes and 5 calls a second with 50 screens open. What some guards are for was seen by taking them out:

- floors of the queue that rise at once: freeze-one-of-two-owners, 10 transitions wrong (a post was taken after the next one of its tracks);
- a hub that never reads what a lost hint left out: drop-hints, all 50 screens wrong;
- no watchdog: freeze-one-of-two-owners, the shards of the frozen owner stay its own;
- an answer before COMMIT, progress remembered apart from the effects, a group in place of a replica: see test_naive.py.
"""

import pytest

from tests.faults.drill import Drill
from tests.faults.scenarios import SCENARIOS


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_nothing_is_lost_twice_or_wrong(drill: Drill, name: str, run: int) -> None:
    report = drill.run(SCENARIOS[name])
    assert report.verdict.counts == dict.fromkeys(report.verdict.counts, 0), "\n".join(report.verdict.told)
    assert report.is_telling, f"too little happened to prove anything: {report}"
