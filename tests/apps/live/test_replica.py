"""Whatever happens to hints and reads: in the end the replica, and a browser that heard all of it, have what the database has."""

from typing import Any

import numpy as np
import orjson
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from apps.layers.hints import Introduction, LayerChange
from apps.live.heads import BEHIND_S, LATE_S, STUCK_S
from apps.live.reader import Catch, Key, State
from apps.live.replica import Replica
from apps.tracks.records import POSITION

CALLS, UNITS = ("calls", 1), ("units", 1)


def packed(rows: dict[int, int]) -> Any:
    records = np.zeros(len(rows), dtype=POSITION)
    records["track"], records["lon"], records["lat"] = list(rows), list(rows.values()), 297_000_000
    return records


def encoded(id: int, value: int | None) -> tuple[int, bytes | None]:
    return id, None if value is None else orjson.dumps({"id": id, "value": value})


class Database:
    """Rows by layer and id: the revision that wrote each, and its value; None when it is gone."""

    def __init__(self) -> None:
        self.heads = {CALLS: 0, UNITS: 0}
        self.rows = {CALLS: dict[int, tuple[int, int | None]](), UNITS: dict[int, tuple[int, int | None]]()}

    def copy(self) -> "Database":
        other = Database()
        other.heads, other.rows = dict(self.heads), {key: dict(rows) for key, rows in self.rows.items()}
        return other

    def write(self, key: Key, id: int, value: int | None) -> LayerChange:
        self.heads[key] += 1
        rev = self.heads[key]
        self.rows[key][id] = (rev, value)
        if value is None:
            return LayerChange(*key, rev - 1, rev, None)
        if key == CALLS:
            return LayerChange(*key, rev - 1, rev, [encoded(id, value)])
        introduced: list[Introduction] = [(id, None, "", "car", "live", "avl", 10)] if id % 2 else []
        return LayerChange(*key, rev - 1, rev, packed({id: value}).tobytes(), introduced)

    def catch(self, key: Key, after: int) -> Catch:
        news = {id: value for id, (rev, value) in self.rows[key].items() if rev > after}
        living = {id: value for id, value in news.items() if value is not None}
        if key == CALLS:
            return Catch(self.heads[key], features=[encoded(id, value) for id, value in news.items()])
        return Catch(self.heads[key], packed(living), [{"id": id} for id in living], removed=[id for id in news if id not in living])

    def state(self) -> State:
        return State(None, 1, dict(self.heads))  # type: ignore[arg-type]

    def living(self, key: Key) -> dict[int, int]:
        return {id: value for id, (_, value) in self.rows[key].items() if value is not None}


class Page:
    """What a browser keeps of the calls."""

    def __init__(self) -> None:
        self.rev, self.calls = 0, dict[int, int]()

    def hear(self, tails: list[bytes]) -> None:
        for tail in tails:
            body = orjson.loads(b"{" + tail)
            if body["type"] == "snapshot":
                self.calls = {}
            elif body["rev"] <= self.rev and body["prev"] != self.rev:
                continue
            self.calls |= {feature["id"]: feature["value"] for feature in body["features"]}
            for id in body.get("removed", ()):
                self.calls.pop(id, None)
            self.rev = body["rev"]


class Story(RuleBasedStateMachine):
    """The hub's own order of steps, on a clock of our own: hints come any time, reads and looks take time and may fail."""

    hints: Bundle[tuple[int, LayerChange]] = Bundle("hints")

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0
        self.database = Database()
        self.backup: Database | None = None
        self.history = 0
        self.page = Page()
        self.reading: tuple[dict[Key, int], dict[Key, Catch]] | None = None
        self.looking: tuple[dict[Key, int], State] | None = None
        self.load()

    def load(self) -> None:
        """As the hub does: another replica, and every page begins anew."""
        self.replica = Replica({"units"}, {"units", "calls"})
        self.replica.load({key: self.database.catch(key, 0) for key in (CALLS, UNITS)})
        self.reading = None
        self.page.hear(self.replica.feature_set(CALLS).snapshot())

    def tell(self, told: Any) -> None:
        for key, tails in told:
            if key == CALLS:
                self.page.hear(tails)

    @rule(target=hints, key=st.sampled_from([CALLS, UNITS]), id=st.integers(1, 4), value=st.integers(1, 1000) | st.none())
    def commit(self, key: Key, id: int, value: int | None) -> tuple[int, LayerChange]:
        return self.history, self.database.write(key, id, value)

    @rule(hint=hints, only_tells=st.booleans())
    def a_hint_comes(self, hint: tuple[int, LayerChange], only_tells: bool) -> None:
        """Soon or late, once or again, or never."""
        history, change = hint
        if only_tells:
            change = LayerChange(change.layer, change.agency_id, change.prev, change.rev, None)
        if history == self.history:
            self.tell(self.replica.hinted([change], self.at))

    @rule(prev=st.integers(0, 9), step=st.integers(1, 5), records=st.sampled_from([None, b"x", [(1, b"{}")]]))
    def a_hint_is_broken(self, prev: int, step: int, records: Any) -> None:
        self.tell(self.replica.hinted([LayerChange(*UNITS, prev, prev + step, records)], self.at))

    @rule(prev=st.integers(0, 9), step=st.integers(1, 5))
    def a_hint_of_calls_introduces_devices(self, prev: int, step: int) -> None:
        self.tell(self.replica.hinted([LayerChange(*CALLS, prev, prev + step, [(1, b"{}")], [(1, None, "", "", "", "", 1)])], self.at))

    @rule(key=st.sampled_from([CALLS, UNITS]))
    def a_hint_tells_what_never_was(self, key: Key) -> None:
        prev = self.replica.applied().get(key, 0)
        records: Any = packed({9: 9}).tobytes() if key == UNITS else [encoded(9, 9)]
        self.tell(self.replica.hinted([LayerChange(*key, prev, prev + 1000, records)], self.at))

    @rule(seconds=st.sampled_from([0.01, 0.06, 0.3, 1.0]))
    def time_passes(self, seconds: float) -> None:
        self.at += seconds

    @rule(is_told=st.booleans())
    def a_read_begins(self, is_told: bool) -> None:
        if self.reading is None and (wanted := self.replica.wanting(self.at, is_told=is_told)):
            self.reading = wanted, {key: self.database.catch(key, after) for key, after in wanted.items()}

    @rule(fails=st.booleans())
    def a_read_ends(self, fails: bool) -> None:
        if self.reading is None:
            return
        (wanted, catches), self.reading = self.reading, None
        if fails:
            self.replica.not_read(wanted)
        else:
            self.tell(self.replica.caught_up(catches, self.at))

    @rule()
    def a_look_begins(self) -> None:
        self.looking = self.replica.applied(), self.database.state()

    @rule()
    def a_look_ends(self) -> None:
        if self.looking is None:
            return
        (applied, state), self.looking = self.looking, None
        if state.is_before(applied) or self.replica.owes_since(self.at, STUCK_S):
            self.load()
        self.replica.saw(state.heads, self.at)

    @rule()
    def a_backup_is_made(self) -> None:
        self.backup = self.database.copy()

    @rule()
    def the_backup_is_restored(self) -> None:
        if self.backup is not None and self.looking is None and self.reading is None:
            self.database = self.backup.copy()
            self.history += 1
            self.a_look_begins()
            self.a_look_ends()

    @invariant()
    def the_page_has_what_the_replica_has(self) -> None:
        assert self.page.calls == self.drawn_calls()

    def drawn_calls(self) -> dict[int, int]:
        return {id: orjson.loads(geojson)["value"] for id, geojson in self.replica.feature_set(CALLS).geojson.items()}

    def drawn_units(self) -> dict[int, int]:
        positions = self.replica.positions
        return {track: int(positions.wire["lon"][slot]) for track, slot in positions.slot_of.items() if positions.drawn[slot]}

    def teardown(self) -> None:
        """Quiet for as long as a lost hint may cost: all is as the database has it."""
        for _ in range(3):
            self.a_read_ends(fails=False)
            self.a_look_begins()
            self.a_look_ends()
            self.at += BEHIND_S
            self.a_read_begins(is_told=True)
            self.a_read_ends(fails=False)
        if self.history:
            # A look before the restore may have told of revisions that are gone: what never comes is given up after STUCK_S.
            self.at += STUCK_S
            self.a_look_begins()
            self.a_look_ends()
        names = {id: 1 for id in self.replica.positions.unnamed if id in self.database.living(UNITS)}
        self.replica.positions.introduce(1, [{"id": id} for id in names])
        assert self.drawn_calls() == self.page.calls == self.database.living(CALLS)
        assert self.drawn_units() == self.database.living(UNITS)
        assert not self.replica.owes_since(self.at + LATE_S, LATE_S)


TestWhateverHappens = Story.TestCase
TestWhateverHappens.settings = settings(max_examples=300, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))


def test_a_new_device_is_drawn_by_the_hint_that_introduces_it() -> None:
    replica = Replica({"units"}, {"units", "calls"})
    replica.load({UNITS: Catch(0)})
    told = [(7, "4A12", "Car 7", "car", "live", "avl", 2.0)]
    list(replica.hinted([LayerChange(*UNITS, 0, 1, packed({7: 5, 8: 6}).tobytes(), told)], 0))  # type: ignore[arg-type]
    positions = replica.positions
    assert [track for track, slot in positions.slot_of.items() if positions.drawn[slot]] == [7]
    assert positions.unnamed == {8: 1}, "nobody introduced it: its name is read"
    name = positions.names[positions.slot_of[7]]
    assert name is not None
    assert orjson.loads(name) == {
        "handle": positions.slot_of[7], "id": 7, "unit": "4A12", "name": "Car 7", "kind": "car", "origin": "live", "source": "avl",
        "interval_s": 2.0,
    }  # fmt: skip


def test_a_layer_that_is_never_read_is_noticed() -> None:
    replica = Replica({"units"}, {"units", "calls"})
    replica.saw({CALLS: 1}, 0)
    wanted = replica.wanting(1, is_told=True)
    assert wanted == {CALLS: 0}
    assert not replica.owes_since(LATE_S, LATE_S)
    replica.not_read(wanted)
    replica.saw({CALLS: 2}, 2)
    assert replica.owes_since(LATE_S + 0.1, LATE_S)
    assert [key for key, _ in replica.caught_up({CALLS: Catch(1)}, 4)] == [CALLS]
    assert not replica.owes_since(9, LATE_S)
