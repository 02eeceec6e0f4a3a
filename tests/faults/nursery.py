"""Pipelines by fork: a parent that has all modules loaded starts them at once, and again whenever one is killed.

It does what a file orders: {name: [words]}, and writes down the pids. The words sew a fault into a child from outside, since
production code has no hooks: --hints drop|swap, --killer WORD, --stalled-after SECONDS.

    python -m tests.faults.nursery ORDERS PIDS
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rtcc_geo.settings")
Send = Callable[[str, bytes], bool]
LOOK_S = 0.02


def main(orders: Path, pids: Path) -> None:
    django.setup()
    import apps.pipeline.owner  # noqa: F401 (loaded once, for all children)

    running: dict[str, int] = {}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            obey(json.loads(orders.read_text()), running)
            fresh = pids.with_suffix(".new")
            fresh.write_text(json.dumps(running))
            fresh.replace(pids)
            time.sleep(LOOK_S)
    finally:
        for pid in running.values():
            end(pid)


def obey(wanted: dict[str, list[str]], running: dict[str, int]) -> None:
    for name, pid in list(running.items()):
        if os.waitpid(pid, os.WNOHANG)[0]:
            del running[name]
        elif name not in wanted:
            end(pid)
            del running[name]
    for name, words in wanted.items():
        if name not in running:
            running[name] = bear(words)


def end(pid: int) -> None:
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
        os.waitpid(pid, 0)


def bear(words: Sequence[str]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            hurt(words)
            from apps.pipeline import owner

            owner.main()
            code = 0
        finally:
            os._exit(code)
    return child


def hurt(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hints", choices=("drop", "swap"))
    parser.add_argument("--killer")
    parser.add_argument("--stalled-after", type=int)
    args = parser.parse_args(words)
    if args.hints:
        hurt_hints(args.hints)
    if args.killer:
        hurt_process(args.killer)
    if args.stalled_after:
        hurry_watchdog(args.stalled_after)


def hurt_hints(how: str) -> None:
    from apps.layers import hints

    hints.send = dropping(hints.send) if how == "drop" else swapping(hints.send)  # type: ignore[assignment]


def dropping(send: Send) -> Send:
    """Lose every third hint."""
    count = 0

    def hurt(channel: str, payload: bytes) -> bool:
        nonlocal count
        count += 1
        return True if count % 3 == 0 else send(channel, payload)

    return hurt


def swapping(send: Send) -> Send:
    """Send every second hint before the one that came first."""
    held: list[tuple[str, bytes]] = []

    def hurt(channel: str, payload: bytes) -> bool:
        if not held:
            held.append((channel, payload))
            return True
        return send(channel, payload) and send(*held.pop())

    return hurt


def hurt_process(word: str) -> None:
    """A fix whose identity holds the word ends the process that decodes it, as a fault in a library would."""
    from apps.pipeline import running
    from apps.pipeline.batch import Batch

    decode, *rest = running.STAGES

    def killing(batch: Batch) -> None:
        decode(batch)
        if any(word in fix.identity for fix in batch.said):
            os.kill(os.getpid(), signal.SIGKILL)

    running.STAGES = (killing, *rest)


def hurry_watchdog(seconds: int) -> None:
    from apps.pipeline import owner, shards

    shards.STALLED_AFTER_S = seconds
    owner.WATCHDOG_S = 0.5


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
