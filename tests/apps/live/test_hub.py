"""Snapshot and changes reach browsers, whatever happens to hints."""

import asyncio
from time import monotonic, time

import pytest
from django.db import connection, transaction

from apps.layers.hints import LayerChange, publish
from tests.apps.live.browser import Browser, Open
from tests.apps.live.town import DOWNTOWN, WEST, Town
from tests.running import RunningSystem

HERE = (-95.40, 29.72, -95.32, 29.80)
THERE = (-95.60, 29.72, -95.52, 29.80)
NONSENSE = ("", "{", '{"type":"shout"}', '{"type":"view","bbox":[1,2]}', '{"type":"ack","seq":"x"}', '{"type":"ack","seq":999}')
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rtcc-hub' AND datname = current_database()
"""
GO_BACK = "UPDATE tracks_position SET rev = 1, geom = ST_SetSRID(ST_Point(%s, %s), 4326) WHERE track_id = %s"
WHOLE_STATE = (-106.0, 26.0, -93.0, 36.0)


def is_silent(browser: Browser) -> bool:
    """Heartbeats come each second; more than two without one means that none is sent."""
    return bool(browser.heartbeats) and time() * 1000 - browser.heartbeats[-1]["now"] > 2500


def shows(browser: Browser, town: Town) -> bool:
    calls = browser.features.get(("calls", town.id), {})
    return browser.drawn() == town.places and {call["properties"]["number"] for call in calls.values()} == town.numbers()


async def test_it_shows_what_is_there_and_then_what_changes(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    unit, _ = town.unit(hints=False), town.call("H-1", hints=False)
    browser = await open_browser(town.member())
    await browser.until(lambda: shows(browser, town), what="the snapshot")
    town.drive(unit, WEST)
    town.call("H-2")
    town.call("H-1", state="closed")
    town.unit()
    await browser.until(lambda: shows(browser, town), what="the changes", within_s=2)
    await browser.until(lambda: browser.heartbeats, what="a heartbeat")
    assert browser.faults == []


async def test_heartbeats_count_what_is_there(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    town.unit()
    town.call("H-1")
    town.call("H-2", place=None)
    browser = await open_browser(town.member())

    def told() -> tuple[object, ...]:
        beat = browser.heartbeats[-1]
        counts = {layer: agencies[str(town.id)] for layer, agencies in beat["counts"].items()}
        return counts, beat["unlocated"], [(feed["source"], feed["agency"], feed["origin"]) for feed in beat["feeds"]]

    expected = ({"units": 1, "calls": 2, "fences": 0, "boundaries": 0}, {str(town.id): 1}, [(town.source.slug, town.id, "live")])
    # Names and feeds are read beside the features: they may come a beat later.
    await browser.until(lambda: browser.heartbeats and told() == expected, what="the counts and feeds")
    assert told() == expected


async def test_a_lost_hint_costs_at_most_two_seconds(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    unit = town.unit()
    browser = await open_browser(town.member())
    await browser.until(lambda: shows(browser, town), what="the snapshot")
    town.drive(unit, WEST, hints=False)
    town.call("H-1", hints=False)
    await browser.until(lambda: shows(browser, town), what="what no hint told", within_s=2)


async def test_swapped_and_doubled_hints_end_in_the_same_state(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    unit = town.unit()
    browser = await open_browser(town.member())
    await browser.until(lambda: shows(browser, town), what="the snapshot")
    hints = [town.drive(unit, (DOWNTOWN[0], DOWNTOWN[1] + step / 100), hints=False) for step in range(1, 5)]
    for hint in (hints[1], hints[0], hints[0], hints[3], hints[2], hints[1], hints[3]):
        publish([hint])
    await browser.until(lambda: shows(browser, town), what="the last place", within_s=0.9)


async def test_an_old_hint_brings_nothing_back(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    unit = town.unit()
    browser = await open_browser(town.member())
    await browser.until(lambda: shows(browser, town), what="the snapshot")
    old = town.drive(unit, WEST)
    await browser.until(lambda: shows(browser, town), what="the way there")
    town.drive(unit, DOWNTOWN)
    await browser.until(lambda: shows(browser, town), what="the way back")
    publish([old])
    town.unit()
    await browser.until(lambda: len(browser.drawn()) == 2, what="a unit that came after the old hint")
    assert shows(browser, town)


async def test_everything_arrives_without_redis_and_at_once_when_it_is_back(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    unit = town.unit()
    browser = await open_browser(town.member())
    await browser.until(lambda: shows(browser, town), what="the snapshot")
    system.kill("redis")
    for place in (WEST, DOWNTOWN):
        town.drive(unit, place)
        await browser.until(lambda: shows(browser, town), what=f"the move to {place} without Redis", within_s=2)
    late = await open_browser(town.member())
    await late.until(lambda: shows(late, town), what="the snapshot without Redis")
    system.start("redis")
    await browser.until(lambda: _is_told(browser, town), what="hints again")


def _is_told(browser: Browser, town: Town) -> bool:
    """Send a call by a hint alone, one that the database never had; only the hint can bring it."""
    rev = browser.revs.get(("calls", town.id), 0)
    publish([LayerChange("calls", town.id, rev, rev + 1, [(1, b'{"type":"Feature","id":1,"geometry":null,"properties":{}}')])])
    return 1 in browser.features.get(("calls", town.id), {})


async def test_a_view_holds_what_is_in_it_and_panning_brings_the_rest(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    near, far = town.unit(DOWNTOWN), town.unit(WEST)
    browser = await open_browser(town.member(), view=HERE)
    await browser.until(lambda: set(browser.drawn()) == {near.pk}, what="the near one")
    await browser.look(THERE)
    await browser.until(lambda: set(browser.drawn()) == {far.pk}, what="the far one")
    town.drive(near, WEST)
    await browser.until(lambda: shows(browser, town), what="who came into the view")
    town.drive(far, DOWNTOWN)
    await browser.until(lambda: set(browser.drawn()) == {near.pk}, what="who left the view")
    await browser.look(WHOLE_STATE, zoom=5)
    await browser.until(lambda: shows(browser, town), what="everything in a wide view")
    town.remove(far)
    town.drive(near, DOWNTOWN)
    await browser.until(lambda: shows(browser, town), what="the wide view without the one that is gone")
    await browser.look(HERE)
    await browser.until(lambda: shows(browser, town), what="the narrow view again")
    assert browser.faults == []


async def test_a_unit_that_is_gone_leaves_the_map(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    stays, goes = town.unit(), town.unit()
    browser = await open_browser(town.member(), view=HERE)
    await browser.until(lambda: shows(browser, town), what="both")
    town.remove(goes)
    await browser.until(lambda: set(browser.drawn()) == {stays.pk}, what="one", within_s=2)


async def test_a_large_layer_comes_in_parts(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    for number in range(60):
        town.call(f"H-{number}", hints=False, narrative="x" * 5000)
    first = await open_browser(town.member())
    await first.until(lambda: shows(first, town), what="all calls")
    browser = await open_browser(town.member())
    await browser.until(lambda: shows(browser, town), what="all calls at once")
    parts = [one for one in browser.messages if one["type"] in ("snapshot", "changes") and one["layer"] == "calls"]
    assert len(parts) > 5
    assert {part["rev"] for part in parts} == {town.rev("calls")}
    assert browser.resets == 0


async def test_a_browser_that_reads_slowly_gets_what_is_now_and_not_all_that_was(system: RunningSystem, open_browser: Open) -> None:
    """It acknowledges once a second, so that some 64 kB a second reach it; ten times as much changes."""
    town = Town()
    browser = await open_browser(town.member())
    for turn in range(8):
        for number in range(30):
            town.call(f"H-{number}", narrative=str(turn) * 8000)
            await asyncio.sleep(0.005)
    await browser.until(lambda: shows(browser, town) and narratives(browser, town) == {"7"}, what="the last turn", within_s=9)
    beats = len(browser.heartbeats)
    for number in range(30):
        town.call(f"H-{number}", state="closed")
        await asyncio.sleep(0.005)
    await browser.until(lambda: shows(browser, town), what="no call", within_s=5)
    await browser.until(lambda: len(browser.heartbeats) > beats, what="a heartbeat")
    assert (browser.resets, browser.faults) == (0, [])


def narratives(browser: Browser, town: Town) -> set[str]:
    calls = browser.features.get(("calls", town.id), {}).values()
    return {call["properties"]["narrative"][:1] for call in calls}


async def test_a_hint_of_what_never_was_is_taken_back(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    unit = town.unit()
    town.call("H-1")
    browser = await open_browser(town.member())
    await browser.until(lambda: shows(browser, town), what="the snapshot")
    for layer in ("units", "calls"):
        publish([LayerChange(layer, town.id, town.rev(layer), town.rev(layer) + 50, b"" if layer == "units" else [])])
    town.drive(unit, WEST)
    town.call("H-1", state="closed")
    await browser.until(lambda: shows(browser, town), what="what the database has", within_s=3)


async def test_broken_hints_make_it_read(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    unit = town.unit()
    browser = await open_browser(town.member())
    await browser.until(lambda: shows(browser, town), what="the snapshot")
    hint = town.drive(unit, WEST, hints=False)
    publish([LayerChange("units", town.id, hint.prev, hint.rev, b"too short")])
    await browser.until(lambda: shows(browser, town), what="what the hint should have told", within_s=0.9)
    assert browser.closed is None


async def test_a_database_that_went_back_is_shown_as_it_is(system: RunningSystem, open_browser: Open) -> None:
    """As after a restored backup, or a stand-by that had not got all."""
    town = Town()
    unit = town.unit()
    browser = await open_browser(town.member())
    for place in (WEST, DOWNTOWN, WEST):
        town.drive(unit, place)
    await browser.until(lambda: shows(browser, town), what="the last place")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(GO_BACK, [*DOWNTOWN, unit.pk])
        cursor.execute("UPDATE layers_layerrevision SET rev = 1 WHERE layer = 'units' AND agency_id = %s", [town.id])
    town.places[unit.pk] = (round(DOWNTOWN[0] * 1e7), round(DOWNTOWN[1] * 1e7))
    await browser.until(lambda: shows(browser, town), what="what it had", within_s=3)


async def test_a_browser_that_does_not_acknowledge_gets_nothing_more_and_then_the_state(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    unit = town.unit()
    stalled, lively = await open_browser(town.member(), acknowledges=False), await open_browser(town.member())
    until = monotonic() + 4
    step = 0
    while monotonic() < until:
        step += 1
        town.drive(unit, (DOWNTOWN[0], DOWNTOWN[1] + step / 10_000))
        await lively.until(lambda: shows(lively, town), what="the move, beside a stalled browser", within_s=2)
    seq = stalled.seq
    town.drive(unit, WEST)
    await lively.until(lambda: shows(lively, town), what="the last move")
    assert stalled.seq == seq
    assert not shows(stalled, town)
    stalled.acknowledges = True
    await stalled.until(lambda: stalled.resets == 1 and shows(stalled, town), what="the reset and the state")
    town.drive(unit, DOWNTOWN)
    await stalled.until(lambda: shows(stalled, town), what="changes after the reset", within_s=2)
    assert stalled.faults == lively.faults == []


async def test_it_finds_back_to_postgresql_by_itself(system: RunningSystem, open_browser: Open) -> None:
    town = Town()
    unit = town.unit()
    browser = await open_browser(town.member())
    await browser.until(lambda: shows(browser, town), what="the snapshot")
    with connection.cursor() as cursor:
        cursor.execute(CUT)
        assert cursor.fetchall() == [(True,)]
    town.drive(unit, WEST, hints=False)
    await browser.until(lambda: shows(browser, town), what="what no hint told, over a new connection", within_s=4)
    assert browser.resets == 0


async def test_heartbeats_end_while_the_database_does_not_answer(system: RunningSystem, open_browser: Open) -> None:
    browser = await open_browser(Town().member())
    await browser.until(lambda: browser.heartbeats, what="a heartbeat")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE layers_layerrevision IN ACCESS EXCLUSIVE MODE")
        await browser.until(lambda: is_silent(browser), what="no heartbeats", within_s=9)
        assert browser.closed is None
    beats = len(browser.heartbeats)
    await browser.until(lambda: len(browser.heartbeats) > beats, what="heartbeats again", within_s=3)


@pytest.mark.parametrize("words", NONSENSE)
async def test_words_that_mean_nothing_end_the_connection(system: RunningSystem, open_browser: Open, words: str) -> None:
    browser = await open_browser(Town().member())
    await browser.socket.send(words)
    await browser.until(lambda: browser.closed == 4400, what="the end")
