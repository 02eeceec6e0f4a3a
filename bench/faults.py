"""`./rtcc bench faults`: every fault of tests/faults, many times, under 2,000 fixes and 5 calls a second with 50 screens open.

    --times 10            how often each
    --minutes 45          stop after this long, whatever is left (the table says how often each ran)
    --only NAME …         some of them

Prints a table and one line of JSON: {scenario: {"runs", "lost", "twice", "transitions_wrong", "clients_wrong", …}, …}.
The exit code is 1 when anything is wrong.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence

from tests.faults.drill import Drill, Report, drilling
from tests.faults.scenarios import SCENARIOS
from tests.faults.system import NotInTime

SHOWN = ("lost", "twice", "never_sent", "transitions_wrong", "presence_wrong", "latest_wrong", "clients_wrong", "not_in_time")
Tally = dict[str, Counter[str]]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./rtcc bench faults")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--only", nargs="*", choices=list(SCENARIOS), default=list(SCENARIOS))
    args = parser.parse_args(words)
    tally: Tally = {name: Counter() for name in args.only}
    until = time.monotonic() + args.minutes * 60
    with drilling() as drill:
        for _ in range(args.times):
            for name in args.only:
                if time.monotonic() < until:
                    tally[name].update(counted(drill, name))
    show(tally)
    return int(any(counts[name] for counts in tally.values() for name in SHOWN) or not all(tally.values()))


def counted(drill: Drill, name: str) -> dict[str, int]:
    """Run one scenario; a system that does not come back in time counts too."""
    try:
        report = drill.run(SCENARIOS[name])
    except NotInTime as problem:
        print(f"{name}: {problem}", file=sys.stderr, flush=True)
        return {"runs": 1, "not_in_time": 1}
    told(name, report)
    return {"runs": 1, "fixes": report.fixes, "calls": report.calls, **report.verdict.counts}


def told(name: str, report: Report) -> None:
    state = "ok" if report.verdict.is_clean else "WRONG"
    print(f"{name:28} {report.seconds:5.1f} s {report.fixes:7} fixes {report.repeats:5} repeats  {state}", file=sys.stderr, flush=True)
    for line in report.verdict.told:
        print(f"    {line}", file=sys.stderr, flush=True)


def show(tally: Tally) -> None:
    print(f"{'scenario':28} {'runs':>5} {'fixes':>8} {'calls':>6} " + " ".join(f"{name:>17}" for name in SHOWN))
    for name, counts in tally.items():
        columns = " ".join(f"{counts[column]:17}" for column in SHOWN)
        print(f"{name:28} {counts['runs']:5} {counts['fixes']:8} {counts['calls']:6} {columns}")
    rows = {name: {column: counts[column] for column in ("runs", "fixes", "calls", *SHOWN)} for name, counts in tally.items()}
    print(json.dumps(rows), flush=True)


if __name__ == "__main__":
    sys.exit(main())
