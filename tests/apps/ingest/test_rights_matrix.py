"""The front door's rows of the matrix of rights: a key opens its own source, and tells of no other."""

from typing import Any

import msgspec
import pytest

from apps.accounts.models import Agency
from tests.apps.ingest.conftest import Caller, Feed, make_feed
from tests.apps.ingest.test_door import fix


@pytest.fixture
def feeds(caller: Caller, agency: Agency) -> dict[str, Feed]:
    """A source of the own agency, a second one of it, and one of each other agency."""
    others = {name: Agency.objects.create(slug=name, name=name) for name in ("partner", "foreign")}
    return {name: make_feed(owner, f"{name}-cars", "fixes") for name, owner in {"own": agency, "second": agency, **others}.items()}


@pytest.mark.parametrize("other", ["second", "partner", "foreign"])
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
def test_anothers_source_is_as_one_that_is_not(caller: Caller, feeds: dict[str, Feed], other: str, method: str) -> None:
    theirs, nowhere = (caller.call(method, f"/ingest/{slug}", b"{}", key=feeds["own"].key) for slug in (f"{other}-cars", "nowhere-cars"))
    assert (theirs.status, nowhere.status) == (404, 404)
    assert said(theirs, f"{other}-cars") == said(nowhere, "nowhere-cars")


@pytest.mark.parametrize("other", ["second", "partner", "foreign"])
def test_anothers_receipt_is_as_one_that_is_not(caller: Caller, feeds: dict[str, Feed], other: str) -> None:
    theirs = feeds[other]
    receipt = caller.post(theirs.source.slug, {"fixes": [fix()]}, key=theirs.key).body["receipt"]
    nobodys = "00000000-0000-4000-8000-000000000000"
    for slug, status in ((theirs.source.slug, 404), ("own-cars", 404)):
        asked, missing = (caller.receipt(slug, one, key=feeds["own"].key) for one in (receipt, nobodys))
        assert (asked.status, missing.status) == (status, status)
        assert said(asked, receipt) == said(missing, nobodys)


def test_who_has_no_key_learns_of_no_source(caller: Caller, feeds: dict[str, Feed]) -> None:
    for key in ("", "rtcc_nobodys"):
        there, nowhere = (caller.post(slug, {"fixes": []}, key=key) for slug in ("own-cars", "nowhere-cars"))
        assert (there.status, nowhere.status) == (401, 401)
        assert said(there, "own-cars") == said(nowhere, "nowhere-cars")


def said(answer: Any, asked: str) -> str:
    """Return the body without what was asked for, which is echoed."""
    return msgspec.json.encode(answer.body).decode().replace(asked, "")
