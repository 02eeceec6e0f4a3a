"""Where each test runs when several processes share the suite."""

import pytest

from tests import lanes


@pytest.mark.parametrize(
    ("node", "lane"),
    [
        ("tests/apps/live/test_hub.py::test_it", "apps-live"),
        ("tests/launcher/test_up.py::test_it[a/b/c]", "launcher"),
        ("tests/faults/test_faults.py::test_it[1-calm]", "clock"),
        ("tests/browser/test_audit.py::test_it", "clock"),
    ],
)
def test_a_folder_stays_whole(node: str, lane: str) -> None:
    assert lanes.lane(node) == lane


def test_what_takes_longest_begins_first_and_the_browser_follows_the_faults() -> None:
    nodes = [f"tests/{folder}/test_x.py::test_it" for folder in ("apps/geo", "browser", "launcher", "flows", "faults")]
    ordered = [node.split("/")[1] for node in sorted(nodes, key=lanes.rank)]
    assert ordered == ["faults", "browser", "flows", "launcher", "apps"]
