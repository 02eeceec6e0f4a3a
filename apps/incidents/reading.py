"""Apply a batch's statements about calls, in order of arrival, to the calls they concern."""

from dataclasses import dataclass, field, replace
from typing import Literal

from apps.incidents import history
from apps.incidents.history import CallRecord, Cursor
from apps.incidents.merging import CallFacts, close, merge, says_the_same
from apps.incidents.observations import BoardPoll, CallReport

Outcome = Literal["late", "repeated", "conflicting", "ignored"]


@dataclass(frozen=True)
class Statement:
    """An observation with where it came from. `board`: the source lists what is open and repeats itself at each poll."""

    source_id: int
    agency_id: int
    origin: str
    board: bool
    shard: int
    received_us: int
    ranks: dict[str, int]
    said: CallReport | BoardPoll


@dataclass
class CallReader:
    """The calls of one batch. `revisions` and `changed` are to be written; `outcomes` tells what was not plainly new."""

    cursor: Cursor
    calls: dict[tuple[int, str], CallRecord] = field(default_factory=dict)
    revisions: list[tuple[int, CallFacts]] = field(default_factory=list)
    changed: dict[int, CallRecord] = field(default_factory=dict)

    def load(self, statements: list[Statement]) -> None:
        """Read the calls that the statements name, and the open ones of the boards among them."""
        named: dict[int, dict[str, Statement]] = {}
        for statement in statements:
            if isinstance(statement.said, CallReport):
                named.setdefault(statement.source_id, {})[statement.said.number] = statement
            else:
                open_calls = history.load_open(self.cursor, statement.source_id, statement.shard)
                for number, call in open_calls.items():
                    self._keep(statement, number, *call)
        for source_id, statement_of in named.items():
            self._load_named(source_id, statement_of)

    def _load_named(self, source_id: int, statement_of: dict[str, Statement]) -> None:
        known = history.load_calls(self.cursor, source_id, list(statement_of))
        fresh = [number for number in statement_of if number not in known]
        ids = dict(zip(fresh, history.new_ids(self.cursor, len(fresh)), strict=True))
        for number, statement in statement_of.items():
            self._keep(statement, number, *(known.get(number) or (ids[number], statement.agency_id, None)))

    def _keep(self, statement: Statement, number: str, call_id: int, agency_id: int, facts: CallFacts | None) -> None:
        self.calls.setdefault(
            (statement.source_id, number),
            CallRecord(call_id, agency_id, statement.source_id, number, statement.origin, statement.shard, facts),
        )

    def read(self, statement: Statement) -> tuple[Outcome, str] | None:
        """Apply one statement; return what it became if it was not plainly new."""
        if isinstance(statement.said, BoardPoll):
            self._end_what_is_gone(statement, statement.said)
            return None
        report = statement.said
        call = self.calls[statement.source_id, report.number]
        if call.facts is None or report.sequence > call.facts.sequence:
            if call.facts and statement.board and says_the_same(report, call.facts):
                return "ignored", "nothing changed since the last poll"
            self._advance(call, merge(report, before=call.facts, received_us=statement.received_us, ranks=statement.ranks))
            return None
        return self._old(statement, report, call)

    def _advance(self, call: CallRecord, facts: CallFacts) -> None:
        call.facts = facts
        self.revisions.append((call.id, facts))
        self.changed[call.id] = call

    def _old(self, statement: Statement, report: CallReport, call: CallRecord) -> tuple[Outcome, str]:
        before = self._revision_up_to(call.id, report.sequence)
        if before and before.sequence == report.sequence:
            same = says_the_same(report, before)
            return ("repeated", "") if same else ("conflicting", f"sequence {report.sequence} said something else before")
        self.revisions.append((call.id, merge(report, before=before, received_us=statement.received_us, ranks=statement.ranks)))
        return "late", "kept in history; a newer statement stands"

    def _revision_up_to(self, call_id: int, sequence: int) -> CallFacts | None:
        stored = history.revision_up_to(self.cursor, call_id, sequence)
        unwritten = [facts for known, facts in self.revisions if known == call_id and facts.sequence <= sequence]
        candidates = [*unwritten, *([stored] if stored else [])]
        return max(candidates, key=lambda facts: facts.sequence, default=None)

    def _end_what_is_gone(self, statement: Statement, poll: BoardPoll) -> None:
        present = set(poll.present)
        for (source_id, number), call in self.calls.items():
            facts = call.facts
            if source_id != statement.source_id or call.shard != statement.shard or number in present or facts is None:
                continue
            if facts.state != "closed" and facts.sequence < poll.observed_us:
                ended = close(facts, sequence=poll.observed_us, observed_us=poll.observed_us, received_us=statement.received_us)
                self._advance(call, ended)

    def tag(self, boundaries: dict[int, tuple[int, ...]]) -> None:
        """Write the boundaries (by place in `revisions`) into the facts."""
        for place, ids in boundaries.items():
            call_id, facts = self.revisions[place]
            tagged = replace(facts, boundaries=ids)
            self.revisions[place] = (call_id, tagged)
            call = self.changed.get(call_id)
            if call and call.facts is facts:
                call.facts = tagged
