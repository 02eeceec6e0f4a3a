"""How the tests are divided when two processes run them at once (pytest-xdist).

A folder stays whole in one process, since its tests share a running system. Browser and faults stay one after the other in one
process: each of them needs most of the machine, and both look at the clock. What takes longest begins first.
"""

import os

from xdist.scheduler import LoadScopeScheduling

FIRST = ("clock", "flows", "launcher")
ONE_AFTER_THE_OTHER = {"faults": "clock", "browser": "clock"}


def worker() -> str:
    """Return the name of this process among several, empty when it is the only one."""
    return os.environ.get("PYTEST_XDIST_WORKER", "")


def lane(node: str) -> str:
    """Return the group of a test by its node id: its folder, in tests/apps that of its app."""
    folders = node.partition("::")[0].split("/")[1:-1]
    name = "-".join(folders[:2]) or "tests"
    return ONE_AFTER_THE_OTHER.get(folders[0] if folders else "", name)


def rank(node: str) -> tuple[int, bool]:
    """Return when a test's turn comes: the longest lanes first, and faults before the browser.

    By then the other process has left its own heavy tests, the flows, behind.
    """
    return FIRST.index(lane(node)) if lane(node) in FIRST else len(FIRST), node.startswith("tests/browser/")


class LaneScheduling(LoadScopeScheduling):
    """Hands out whole lanes. (The groups of xdist's own scheduler are not seen by pytest 9.)"""

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)


def sockets() -> str:
    """Return the folder with the sockets of this process's own PostgreSQL and Redis, as `./rtcc test` started them.

    With one PostgreSQL for all, an open transaction of one process holds up what waits in another for those that ran beside it.
    """
    folders = os.environ["RTCC_TEST_SOCKETS"].split(os.pathsep)
    return folders[int(worker().removeprefix("gw") or 0)]
