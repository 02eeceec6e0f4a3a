"""docs/asyncapi.yaml says what really goes over the socket."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, ValidationError

from apps.accounts import operations
from apps.accounts.models import Role
from tests.apps.live.browser import Browser, Open
from tests.apps.live.test_hub import HERE, is_silent, shows
from tests.apps.live.town import WEST, Town
from tests.running import RunningSystem

DOCUMENT = Path(__file__).parents[3] / "docs" / "asyncapi.yaml"
SAID = {"view", "ack"}


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text())
    return found


def validator(name: str) -> Draft7Validator:
    return Draft7Validator({"$ref": f"#/components/messages/{name}/payload", "components": document()["components"]})


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [value for key, value in part.items() if key == "$ref"] + [one for value in part.values() for one in references(value)]
    return [one for value in part for one in references(value)] if isinstance(part, list) else []


def test_every_reference_leads_somewhere_and_every_message_is_used() -> None:
    for reference in references(document()):
        found = document()
        for word in reference.removeprefix("#/").split("/"):
            found = found[word]
    listed = {one["$ref"].rpartition("/")[2] for operation in document()["operations"].values() for one in operation["messages"]}
    assert listed == set(document()["components"]["messages"]) == set(document()["channels"]["live"]["messages"])


@pytest.mark.parametrize("name", sorted(SAID))
def test_its_examples_of_what_a_browser_says_are_valid(name: str) -> None:
    for example in document()["components"]["messages"][name]["examples"]:
        validator(name).validate(example["payload"])


async def test_every_json_message_of_a_session_is_as_documented(system: RunningSystem, open_browser: Open) -> None:
    browser = await everything_happens(open_browser)
    kinds = {message["type"] for message in browser.messages}
    assert kinds == set(document()["components"]["messages"]) - SAID - {"positions"}
    for message in browser.messages:
        validator(message["type"]).validate(message)
        with pytest.raises(ValidationError):
            validator(message["type"]).validate({**message, "seq": "1"})
    assert browser.frames > 0


async def everything_happens(open_browser: Open) -> Browser:
    """Let one browser see every kind of message."""
    ours, theirs = Town(), Town()
    unit = ours.unit()
    theirs.call("T-1")
    operations.give_grant(role=Role.DISPATCHER, holder=ours.agency, layer="calls", agency=theirs.agency)
    browser = await open_browser(ours.member(), view=HERE)
    await browser.until(lambda: shows(browser, ours), what="the snapshot")
    ours.call("H-1", place=None)
    ours.call("H-1", state="closed")
    withdraw_from_partner(ours, theirs)
    await browser.until(lambda: any(message["type"] == "withdraw" for message in browser.messages), what="withdraw")
    await browser.until(lambda: browser.heartbeats, what="a heartbeat")
    browser.acknowledges = False
    await browser.until(lambda: is_silent(browser), what="that the browser is behind", within_s=8)
    browser.acknowledges = True
    ours.drive(unit, WEST)
    await browser.until(lambda: browser.resets, what="the reset")
    return browser


def withdraw_from_partner(holder: Town, owner: Town) -> None:
    for grant in holder.agency.held_grants.filter(agency=owner.agency):
        operations.withdraw_grant(grant=grant)
