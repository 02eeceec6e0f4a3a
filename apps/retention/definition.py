"""What a data class is: rows (or files) that one rule keeps and removes together."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from apps.layers.definition import Cursor

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Table:
    """A table of a class. Texts are SQL of ours about a row called `r`; `joins` brings what they need besides it.

    `thing` names what the row belongs to (a call's revision belongs to a call) and goes with it. `at` is the row's own time, by
    which a hold finds it. `held` is false for rows that are only derived from others.
    """

    name: str
    thing: str
    key: str
    at: str
    agency: str = "NULL::bigint"
    joins: str = ""
    identity: str = "''"
    place: str = "NULL::geometry"
    held: bool = True
    of: str = ""
    """The class that has the table, where that is another one and here only some of its rows go: a hold on either finds them."""
    ages: bool = False
    """Its rows are things of the class too: their own time is their age."""
    whose: str = ""
    """How the rows of the things `%(things)s` are found, where `thing = ANY(things)` would not use an index."""
    stored: str = ""
    """The table that really holds the rows, where that is a partition."""

    @property
    def rows(self) -> str:
        return f"{self.stored or self.name} r"

    @property
    def counted(self) -> bool:
        return not self.of

    @property
    def owned(self) -> str:
        return self.whose or f"{self.thing} = ANY(%(things)s)"


class Limit(NamedTuple):
    """Of this agency (None: of no agency) all that is older than `before` goes."""

    agency_id: int | None
    before: datetime


@dataclass
class Removed:
    """What one short transaction removed: rows by (table, agency). `more`: there may be more to do."""

    rows: "Counter[tuple[str, int | None]]" = field(default_factory=Counter)
    held: "Counter[tuple[str, int | None]]" = field(default_factory=Counter)
    more: bool = False

    @property
    def count(self) -> int:
        return sum(self.rows.values())


Remove = Callable[[Sequence[Limit], datetime, int], Removed]
"""Removes at most about that many things older than their limits, in one short transaction, at an instance time."""


@dataclass(frozen=True)
class DataClass:
    """What is kept and removed by one rule.

    `source` is the FROM clause of the things that age (the first table is called `r`); `key`, `age` and `agency` are SQL about it.
    `where` leaves out what does not age, such as an open call; `part` says which rows are the class's where two share a table.
    `tables` stand in the order of removal; the last holds the things themselves.

    A rule may not be shorter than `shortest`, and counts no longer than the rules of `limited_by`: those classes are inside this
    one, as places are inside a raw message. A thing may wait (by `where`) for rows of the classes `after`, which go by their own rule.
    `clock`: sessions age by real time, all else by the instance's. `remove` replaces the plain removal; `folder` is for a class of
    files, which age by their last change. `whole_days`: it goes up to a midnight (UTC), once a day.
    """

    name: str
    title: str
    about: str
    keep: timedelta
    source: str = ""
    key: str = "r.id"
    key_type: Literal["bigint", "uuid", "text"] = "bigint"
    age: str = ""
    agency: str = "NULL::bigint"
    where: str = "TRUE"
    part: str = "TRUE"
    tables: tuple[Table, ...] = ()
    shortest: timedelta = DAY
    limited_by: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    clock: Literal["instance", "real"] = "instance"
    whole_days: bool = False
    kept_before: bool = False
    """The class went by age before there were rules: an upgrade changes nothing."""
    remove: Remove | None = None
    before_removal: Callable[[Cursor, Sequence[object]], None] | None = None
    folder: Callable[[], Path] | None = None

    @property
    def by_agency(self) -> bool:
        return self.agency != "NULL::bigint"


class Kept(NamedTuple):
    """A table with times that no rule removes, and why."""

    table: str
    reason: str
